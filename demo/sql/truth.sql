-- Who is who in truth, beside the model, and how well the customers match it:
-- pairs of records that are one customer against pairs that are one person.

CREATE TABLE IF NOT EXISTS demo.truth (
	source text NOT NULL,
	source_id text NOT NULL,
	person text NOT NULL,
	PRIMARY KEY (source, source_id)
);
COMMENT ON TABLE demo.truth IS 'The person behind a record of a source: known because the people were generated or labelled.';

-- A record that no event brought in is a customer of its own.
CREATE OR REPLACE VIEW demo.record AS
SELECT t.source, t.source_id, t.person,
	coalesce('customer ' || p.customer_id, 'record ' || t.source || '/' || t.source_id) AS customer
FROM demo.truth t
	LEFT JOIN o2o.profile_identifier i ON i.identifier = ('ref:' || t.source || '/' || t.source_id)::o2o.identifier
	LEFT JOIN o2o.profile p ON p.profile_id = i.profile_id;
COMMENT ON VIEW demo.record IS 'Records with their person in truth and the customer they were resolved to.';

CREATE OR REPLACE FUNCTION demo.accuracy(label text, sources text[])
RETURNS TABLE (name text, records bigint, people bigint, customers bigint, true_pairs bigint, joined_pairs bigint, right_pairs bigint)
LANGUAGE sql STABLE AS $$
	WITH r AS MATERIALIZED (SELECT * FROM demo.record x WHERE x.source = ANY (sources))
	SELECT label,
		(SELECT count(*) FROM r), (SELECT count(DISTINCT person) FROM r), (SELECT count(DISTINCT customer) FROM r),
		(SELECT coalesce(sum(n * (n - 1) / 2), 0)::bigint FROM (SELECT count(*) AS n FROM r GROUP BY person) g),
		(SELECT coalesce(sum(n * (n - 1) / 2), 0)::bigint FROM (SELECT count(*) AS n FROM r GROUP BY customer) g),
		(SELECT coalesce(sum(n * (n - 1) / 2), 0)::bigint FROM (SELECT count(*) AS n FROM r GROUP BY customer, person) g)
$$;
COMMENT ON FUNCTION demo.accuracy(text, text[]) IS 'Over the records of some sources: pairs that are one person, that were joined, and that are both.';

CREATE OR REPLACE VIEW demo.accuracy_table AS
SELECT a.*, round(a.right_pairs::numeric / nullif(a.joined_pairs, 0), 4) AS precision, round(a.right_pairs::numeric / nullif(a.true_pairs, 0), 4) AS recall
FROM (
	SELECT 1 AS place, r.* FROM demo.accuracy('Web shop and tills together', '{web,pos}') r
	UNION ALL SELECT 2, r.* FROM demo.accuracy('Web shop alone', '{web}') r
	UNION ALL SELECT 3, r.* FROM demo.accuracy('Tills alone', '{pos}') r
	UNION ALL SELECT 4, r.* FROM demo.accuracy('FEBRL 3, by social security number', '{febrl3}') r
	UNION ALL SELECT 5, r.* FROM demo.accuracy('fake_1000, by e-mail', '{fake1000}') r
) a
WHERE a.records > 0;
COMMENT ON VIEW demo.accuracy_table IS 'accuracy() over what this demo loaded, with precision and recall of pairs (NULL without pairs).';
