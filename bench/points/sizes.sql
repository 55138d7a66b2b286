SELECT v.what, v.ours, v.peer, v.theirs
FROM
	(VALUES
		('1,000 postings with their indexes', 1000 * pg_total_relation_size('o2o.points_posting') / (SELECT count(*) FROM o2o.points_posting), '1,000 transfers of the ledger with text ids, entries and indexes',
			1000 * (pg_total_relation_size('ledger.transfer') + pg_total_relation_size('ledger.entry')) / (SELECT count(*) FROM ledger.transfer)),
		('WAL of 1,000 points_earn in a batch', (SELECT w.bytes FROM wal w WHERE w.what = 'batch'), 'the ledger''s batch', (SELECT w.bytes FROM wal w WHERE w.what = 'ledger batch')),
		('WAL of 1,000 points_earn, each committed', (SELECT w.bytes FROM wal w WHERE w.what = 'single'), 'the ledger, each committed', (SELECT w.bytes FROM wal w WHERE w.what = 'ledger single'))
	) v (what, ours, peer, theirs)
