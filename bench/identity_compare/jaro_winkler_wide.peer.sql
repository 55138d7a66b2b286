-- pg_similarity jarowinkler (bytes: another answer)
-- count: 1000000 calls
SELECT sum(similarity.jarowinkler(a, b)) FROM name_pair_wide;
