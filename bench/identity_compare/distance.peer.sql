-- fuzzystrmatch levenshtein (no swaps)
-- count: 1000000 calls
SELECT sum(fuzzy.levenshtein(a, b)) FROM name_pair;
