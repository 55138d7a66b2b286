-- components of 1,000,000 pairs of identifiers, such as card:1234567
-- count: 1000000 pairs
-- repeats: 3
SELECT count(*) FROM o2o.identifier_components('SELECT a, b FROM pair_identifier');
