-- sum(numeric)
SELECT sum(numeric_amount) FROM amount;
