-- the same in a program without a reserve
-- count: 4800 calls
\set n random(1, 20000)
SELECT o2o.points_earn((SELECT m.profile_id FROM member m WHERE m.n = :n), 25, 'loose', 'pos/1');
