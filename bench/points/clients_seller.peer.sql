-- the same, each to one of 1,000 sellers
-- count: 16000 calls
\set n random(2001, 19000)
\set s random(1, 1000)
SELECT o2o.points_pay((SELECT m.profile_id FROM public.member m WHERE m.n = :n), (SELECT m.profile_id FROM public.member m WHERE m.n = :s), 1, 'club', 'pos/1');
