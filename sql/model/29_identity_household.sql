-- The identity room: households, a second pass over customers. It never merges any:
-- who lives together is another question than who is one person.

CREATE TABLE IF NOT EXISTS o2o.household_rule (
	rule text NOT NULL PRIMARY KEY,
	traits text[] NOT NULL DEFAULT '{}',
	identifier_kind text,
	description text NOT NULL,
	CHECK ((traits <> '{}') <> (identifier_kind IS NOT NULL))
);
COMMENT ON TABLE o2o.household_rule IS 'Rows of the owner: what makes customers a household. A rule is about traits or about an identifier; household_resolve() applies all of them.';
COMMENT ON COLUMN o2o.household_rule.rule IS 'Name of the rule';
COMMENT ON COLUMN o2o.household_rule.traits IS 'Names of traits: customers whose golden records agree in all of them, compared without case, width, spaces and punctuation, live together; empty: a rule about an identifier';
COMMENT ON COLUMN o2o.household_rule.identifier_kind IS 'Kind of identifier: the customers who were seen with one of it that another customer has, or that many share, live together; refers to identifier_kind; NULL: a rule about traits';
COMMENT ON COLUMN o2o.household_rule.description IS 'What the rule says';

CREATE TABLE IF NOT EXISTS o2o.customer_household (
	customer_id bigint NOT NULL PRIMARY KEY,
	household_id bigint NOT NULL,
	rules text[] NOT NULL,
	resolved_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS customer_household_household_id_idx ON o2o.customer_household (household_id);
COMMENT ON TABLE o2o.customer_household IS 'The households that household_resolve() found last; a customer who lives alone has no row. Read it through the view household_member.';
COMMENT ON COLUMN o2o.customer_household.customer_id IS 'Customer; refers to customer';
COMMENT ON COLUMN o2o.customer_household.household_id IS 'Number of the household: the lowest of its customer ids';
COMMENT ON COLUMN o2o.customer_household.rules IS 'Rules that connect the customer to others of the household, in order; refer to household_rule';
COMMENT ON COLUMN o2o.customer_household.resolved_at IS 'When the row was written or changed last (start of the transaction)';

INSERT INTO o2o.household_rule (rule, traits, identifier_kind, description) VALUES
	('address', '{surname,address}', NULL, 'The same surname at the same address'),
	('phone', '{}', 'phone', 'One telephone number that several customers were seen with')
ON CONFLICT DO NOTHING;
INSERT INTO o2o.setting (name, value, description) VALUES
	('identity.household_cap', '10', 'Most customers of a household; what connects more of them (an office, a hot-line number) makes none')
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.household_resolve(OUT households bigint, OUT customers bigint, OUT changed bigint, OUT skipped_keys bigint, OUT skipped_households bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	cap bigint;
BEGIN
	-- One pass at a time.
	SELECT s.value::bigint INTO cap FROM o2o.setting s WHERE s.name = 'identity.household_cap' FOR NO KEY UPDATE;
	DROP TABLE IF EXISTS pg_temp.household_key, pg_temp.household_new;
	CREATE TEMP TABLE household_key ON COMMIT DROP AS
	SELECT k.rule, k.key, k.customer_id, count(*) OVER (PARTITION BY k.rule, k.key) AS size,
		min(k.customer_id) OVER (PARTITION BY k.rule, k.key) AS first_id
	FROM (
		SELECT h.rule, string_agg(v.value, E'\x01' ORDER BY r.name COLLATE "C") AS key, r.customer_id
		FROM o2o.household_rule h
			JOIN o2o.customer_record r ON r.name = ANY (h.traits)
			CROSS JOIN LATERAL (SELECT regexp_replace(lower(normalize(r.value, NFKC)), '[^[:alnum:]]', '', 'g') AS value) v
		WHERE v.value <> '' AND EXISTS (SELECT FROM o2o.customer c WHERE c.customer_id = r.customer_id AND c.profile_count > 0)
		GROUP BY h.rule, h.traits, r.customer_id
		HAVING count(*) = (SELECT count(DISTINCT t.name) FROM unnest(h.traits) t (name))
		UNION
		SELECT h.rule, i.profile_id::text AS key, other.customer_id
		FROM o2o.identity_evidence e
			CROSS JOIN LATERAL unnest(e.profiles) x (id)
			JOIN o2o.profile i ON i.profile_id = x.id
			JOIN o2o.household_rule h ON h.identifier_kind = i.kind
			CROSS JOIN LATERAL unnest(e.profiles) u (id)
			JOIN o2o.profile other ON other.profile_id = u.id
		-- An identifier that many share is no member of what it connects.
		WHERE e.rule = 'event' AND (e.status = 'suppressed' OR (e.status = 'retracted' AND e.retract_reason = 'shared identifier'))
			AND (u.id <> i.profile_id OR NOT EXISTS (SELECT FROM o2o.profile_identifier p WHERE p.profile_id = i.profile_id AND p.is_shared))
	) k;
	SELECT count(*) INTO skipped_keys FROM (SELECT FROM pg_temp.household_key k WHERE k.size > cap GROUP BY k.rule, k.key) s;
	DELETE FROM pg_temp.household_key k WHERE k.size > cap OR k.size = 1;
	CREATE TEMP TABLE household_new ON COMMIT DROP AS
	SELECT c.node AS customer_id, c.component AS household_id, count(*) OVER (PARTITION BY c.component) AS size,
		ARRAY(SELECT DISTINCT k.rule COLLATE "C" FROM pg_temp.household_key k WHERE k.customer_id = c.node ORDER BY 1) AS rules
	FROM (SELECT array_agg(k.first_id) AS a, array_agg(k.customer_id) AS b FROM pg_temp.household_key k) pairs,
		o2o.connected_components(pairs.a, pairs.b) c;
	SELECT count(DISTINCT n.household_id) INTO skipped_households FROM pg_temp.household_new n WHERE n.size > cap;
	DELETE FROM pg_temp.household_new n WHERE n.size > cap;
	WITH gone AS (
		DELETE FROM o2o.customer_household h
		WHERE NOT EXISTS (SELECT FROM pg_temp.household_new n WHERE n.customer_id = h.customer_id)
		RETURNING h.customer_id
	), written AS (
		INSERT INTO o2o.customer_household AS h (customer_id, household_id, rules, resolved_at)
		SELECT n.customer_id, n.household_id, n.rules, now() FROM pg_temp.household_new n ORDER BY n.customer_id
		ON CONFLICT (customer_id) DO UPDATE SET household_id = excluded.household_id, rules = excluded.rules, resolved_at = excluded.resolved_at
		WHERE h.household_id <> excluded.household_id OR h.rules <> excluded.rules
		RETURNING h.customer_id
	)
	SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written) INTO changed;
	SELECT count(DISTINCT h.household_id), count(*) INTO households, customers FROM o2o.customer_household h;
END $$;
COMMENT ON FUNCTION o2o.household_resolve() IS 'Finds the households anew: connected components of the customers that the rules of household_rule connect, whose number is the lowest customer id. Customers are never merged, and merges of customers count from the next call on. What connects more than identity.household_cap customers makes no household. Writes the rows that changed alone. Returns the number of households, of customers in them, of rows changed; skipped_keys, addresses or identifiers left out as they connect too many; skipped_households, those left out as they would be too large. One call at a time; others wait.';

CREATE OR REPLACE VIEW o2o.household_member AS
SELECT c.household_id, c.customer_id, c.size, c.rules, c.resolved_at
FROM (
	SELECT m.*, count(*) OVER (PARTITION BY m.household_id) AS size
	FROM (
		SELECT DISTINCT ON (p.customer_id) p.customer_id, h.household_id, h.rules, h.resolved_at
		FROM o2o.customer_household h JOIN o2o.profile p ON p.profile_id = h.customer_id
		ORDER BY p.customer_id, h.household_id
	) m
) c
WHERE c.size > 1;
COMMENT ON VIEW o2o.household_member IS 'Who lives together: one row per customer of a household of two or more, as household_resolve() found it last. After a merge the survivor stands for both, in the household with the lower number, until the next call.';
COMMENT ON COLUMN o2o.household_member.household_id IS 'Number of the household: its lowest customer id when it was resolved';
COMMENT ON COLUMN o2o.household_member.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.household_member.size IS 'Customers of the household';
COMMENT ON COLUMN o2o.household_member.rules IS 'Rules that connect the customer to others; refer to household_rule';
COMMENT ON COLUMN o2o.household_member.resolved_at IS 'When that was found or changed last';
