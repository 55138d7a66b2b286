-- points_verify(since): 20,000 postings since a snapshot, 1,200,000 before it, 20,000 accounts and 240,000 lots compared
-- count: 20000 postings
-- repeats: 3
SELECT * FROM o2o.points_verify(since => 1);
