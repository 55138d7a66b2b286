-- pg_similarity jaro (bytes)
-- count: 1000000 calls
SELECT sum(similarity.jaro(a, b)) FROM name_pair;
