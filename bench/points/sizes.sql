SELECT v.what, v.ours, v.peer, v.theirs
FROM
	(SELECT 1000 * pg_total_relation_size('o2o.points_posting') / (SELECT count(*) FROM o2o.points_posting) AS ours,
		1000 * (pg_total_relation_size('journal.transfer') + pg_total_relation_size('journal.entry')) / (SELECT count(*) FROM journal.transfer) AS likeness,
		1000 * (pg_total_relation_size('ledger.transfer') + pg_total_relation_size('ledger.entry')) / (SELECT count(*) FROM ledger.transfer) AS leaner) s
	CROSS JOIN (SELECT jsonb_object_agg(w.what, w.bytes) AS bytes FROM wal w) w
	CROSS JOIN LATERAL (VALUES
		('1,000 postings with their indexes', s.ours, '1,000 transfers of the likeness of a double-entry ledger, entries and indexes', s.likeness),
		('the same', s.ours, 'of the leaner double-entry ledger', s.leaner),
		('WAL of 1,000 points_earn in a batch', (w.bytes->'batch')::bigint, 'the likeness''s own batch', (w.bytes->'journal batch')::bigint),
		('the same', (w.bytes->'batch')::bigint, 'the leaner ledger''s own batch', (w.bytes->'ledger batch')::bigint),
		('WAL of 1,000 points_earn, each committed', (w.bytes->'single')::bigint, 'the likeness, each committed', (w.bytes->'journal single')::bigint),
		('the same', (w.bytes->'single')::bigint, 'the leaner ledger, each committed', (w.bytes->'ledger single')::bigint)
	) v (what, ours, peer, theirs)
