-- jaro_winkler of names of 12 letters
-- count: 1000000 calls
SELECT sum(o2o.jaro_winkler(a, b)) FROM name_pair;
