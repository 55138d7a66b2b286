-- the 1,000 largest of 3,000,000 amounts
-- count: 3000000 rows
SELECT points FROM amount ORDER BY points DESC LIMIT 1000;
