-- GROUP BY: the postings of each account sum up to its balance
-- count: 300000 postings
SELECT a.account_id FROM o2o.points_account a
	JOIN (SELECT profile_id, account_id, o2o.sum(amount) AS amount FROM o2o.points_posting GROUP BY profile_id, account_id) p USING (profile_id, account_id)
WHERE a.balance OPERATOR(o2o.<>) p.amount;
