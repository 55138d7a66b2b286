-- damerau_levenshtein of names of 12 letters, one of them é or 中
-- count: 1000000 calls
SELECT sum(o2o.damerau_levenshtein(a, b)) FROM name_pair_wide;
