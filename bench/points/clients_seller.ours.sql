-- points_pay from 16 clients, all to one seller
-- count: 16000 calls
-- clients: 16
-- repeats: 3
\set n random(2001, 19000)
SELECT o2o.points_pay((SELECT m.profile_id FROM public.member m WHERE m.n = :n), (SELECT m.profile_id FROM public.member m WHERE m.n = 1), 1, 'club', 'pos/1');
