-- What, bytes of ours, who else, bytes of theirs.
SELECT 'index on 10,000,000 positions, SP-GiST, rows in random order', pg_relation_size('store_spgist'), 'PostGIS geography, GiST', pg_relation_size('store_geography');
