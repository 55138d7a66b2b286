-- 16 clients earn points in a program whose reserve is enforced
-- count: 4800 calls
-- clients: 16
-- repeats: 3
\set n random(1, 20000)
SELECT o2o.points_earn((SELECT m.profile_id FROM member m WHERE m.n = :n), 25, 'backed', 'pos/1');
