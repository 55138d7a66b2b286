-- What, bytes of ours, who else, bytes of theirs.
SELECT what, pg_relation_size(ours::regclass), who, pg_relation_size(theirs::regclass)
FROM (VALUES
	('index on 1,000,000 positions, SP-GiST, rows in random order', 'store_random_spgist', 'PostGIS geography, GiST', 'store_random_geography'),
	('index on 1,000,000 positions, SP-GiST, rows along a Hilbert curve', 'store_hilbert_spgist', 'PostGIS geography, GiST', 'store_hilbert_geography'),
	('index on 1,000,000 positions, SP-GiST, fillfactor 90 (as GiST has), rows along a Hilbert curve', 'store_filled_spgist', 'PostGIS geography, GiST', 'store_hilbert_geography'),
	('covering index on 1,000,000 positions with id and name, SP-GiST', 'store_covered_spgist', 'PostGIS geography, GiST, positions alone', 'store_random_geography'),
	('index on 1,000,000 positions, GiST', 'sized_gist', 'PostGIS geography, GiST, rows in random order', 'store_random_geography'),
	('index on 1,000,000 brands and positions, GiST', 'branded_gist', 'PostGIS geography and btree_gist', 'branded_geography')) v (what, ours, who, theirs);
