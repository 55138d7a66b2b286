-- sum(numeric)
-- count: 3000000 rows
SELECT sum(numeric_amount) FROM amount;
