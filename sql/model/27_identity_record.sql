-- The identity room: survivorship. Which of the values that sources say of a
-- customer is shown, decided at read; every value stays with its source.

CREATE TABLE IF NOT EXISTS o2o.trait_policy (
	name text NOT NULL PRIMARY KEY,
	policy text NOT NULL CHECK (policy IN ('source_priority', 'most_recent', 'most_complete', 'majority', 'verified_first', 'minimum', 'maximum')),
	sources text[] NOT NULL DEFAULT '{}',
	CHECK ((policy = 'source_priority') = (sources <> '{}'))
);
COMMENT ON TABLE o2o.trait_policy IS 'Rows of the owner: which value of a trait the golden record of a customer shows where sources differ. A trait without a row shows the most recent one.';
COMMENT ON COLUMN o2o.trait_policy.name IS 'Name of the trait; * for all that have no row of their own';
COMMENT ON COLUMN o2o.trait_policy.policy IS 'source_priority: of the source that stands first in sources, those that do not stand there last; most_recent: observed last; most_complete: the longest; majority: said by the most sources, each counted once; verified_first: verified ones before others; minimum, maximum: the smallest or largest, as numbers where all of the customer''s are, else as text by code points. Among equals the most recent one, then the source by name, then the lowest profile';
COMMENT ON COLUMN o2o.trait_policy.sources IS 'Sources from the most trusted down, for source_priority alone; refer to source';

CREATE TABLE IF NOT EXISTS o2o.profile_trait_mark (
	profile_id bigint NOT NULL,
	source text NOT NULL,
	name text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('verified', 'pinned')),
	value text NOT NULL,
	reason text NOT NULL,
	marked_at timestamptz NOT NULL DEFAULT now(),
	marked_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (profile_id, source, name, kind)
);
COMMENT ON TABLE o2o.profile_trait_mark IS 'Traits that somebody verified, or pinned so that no policy sets them aside. A mark is for one value: it is void as soon as the source says another one.';
COMMENT ON COLUMN o2o.profile_trait_mark.profile_id IS 'Profile of the trait; refers to profile_trait';
COMMENT ON COLUMN o2o.profile_trait_mark.source IS 'Source of the trait; refers to profile_trait';
COMMENT ON COLUMN o2o.profile_trait_mark.name IS 'Name of the trait; refers to profile_trait';
COMMENT ON COLUMN o2o.profile_trait_mark.kind IS 'verified: counts for the policy verified_first; pinned: shown whatever the policy says';
COMMENT ON COLUMN o2o.profile_trait_mark.value IS 'Value that it is for';
COMMENT ON COLUMN o2o.profile_trait_mark.reason IS 'How it was verified, or why it was pinned, in the caller''s words';
COMMENT ON COLUMN o2o.profile_trait_mark.marked_at IS 'When it was marked (start of the transaction)';
COMMENT ON COLUMN o2o.profile_trait_mark.marked_by IS 'Login role that marked it';

CREATE OR REPLACE VIEW o2o.customer_trait AS
WITH said AS (
	SELECT coalesce(p.customer_id, t.profile_id) AS customer_id, t.name, t.value, t.source, t.profile_id, t.observed_at,
		coalesce(own.policy, every.policy, 'most_recent') AS policy,
		array_position(coalesce(own.sources, every.sources), t.source) AS rank,
		EXISTS (SELECT FROM o2o.profile_trait_mark m WHERE m.profile_id = t.profile_id AND m.source = t.source AND m.name = t.name
			AND m.kind = 'verified' AND m.value = t.value) AS is_verified,
		(SELECT m.marked_at FROM o2o.profile_trait_mark m WHERE m.profile_id = t.profile_id AND m.source = t.source AND m.name = t.name
			AND m.kind = 'pinned' AND m.value = t.value) AS pinned_at,
		CASE WHEN t.value ~ '^[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})$' THEN t.value::numeric END AS number
	FROM o2o.profile_trait t
		LEFT JOIN o2o.profile p ON p.profile_id = t.profile_id
		LEFT JOIN o2o.trait_policy own ON own.name = t.name
		LEFT JOIN o2o.trait_policy every ON every.name = '*'
), counted AS (
	SELECT s.*, c.sources AS same_sources, bool_and(s.number IS NOT NULL) OVER (PARTITION BY s.customer_id, s.name) AS all_numbers
	FROM said s
		JOIN (
			SELECT n.customer_id, n.name, n.value, count(DISTINCT n.source) AS sources
			FROM said n GROUP BY n.customer_id, n.name, n.value
		) c ON c.customer_id = s.customer_id AND c.name = s.name AND c.value = s.value
)
SELECT c.customer_id, c.name, c.value, c.source, c.profile_id, c.observed_at, c.is_verified, c.pinned_at IS NOT NULL AS is_pinned, c.policy,
	row_number() OVER (PARTITION BY c.customer_id, c.name
		ORDER BY c.pinned_at DESC NULLS LAST,
			CASE c.policy WHEN 'source_priority' THEN coalesce(c.rank, 2147483647) WHEN 'most_complete' THEN -length(c.value)
				WHEN 'majority' THEN -c.same_sources WHEN 'verified_first' THEN CASE WHEN c.is_verified THEN 0 ELSE 1 END END,
			CASE WHEN c.all_numbers THEN CASE c.policy WHEN 'minimum' THEN c.number WHEN 'maximum' THEN -c.number END END,
			CASE WHEN c.policy = 'minimum' AND NOT c.all_numbers THEN c.value END COLLATE "C",
			CASE WHEN c.policy = 'maximum' AND NOT c.all_numbers THEN c.value END COLLATE "C" DESC,
			c.observed_at DESC, c.source COLLATE "C", c.profile_id) AS place
FROM counted c;
COMMENT ON VIEW o2o.customer_trait IS 'All that sources say of each customer, one row per profile, source and name, in the order in which the policy of the trait prefers them: place 1 is what the golden record shows, the others are what it set aside. Live: a merge or an unmerge changes whose values stand together, and no value.';
COMMENT ON COLUMN o2o.customer_trait.customer_id IS 'Customer that the profile resolves to today; an anonymous profile is its own';
COMMENT ON COLUMN o2o.customer_trait.name IS 'Name of the trait';
COMMENT ON COLUMN o2o.customer_trait.value IS 'Value as text';
COMMENT ON COLUMN o2o.customer_trait.source IS 'Source system that says so; refers to source';
COMMENT ON COLUMN o2o.customer_trait.profile_id IS 'Profile of which it says so; refers to profile';
COMMENT ON COLUMN o2o.customer_trait.observed_at IS 'When the event that brought the value happened';
COMMENT ON COLUMN o2o.customer_trait.is_verified IS 'Whether this value is marked as verified';
COMMENT ON COLUMN o2o.customer_trait.is_pinned IS 'Whether this value is pinned, which stands above the policy';
COMMENT ON COLUMN o2o.customer_trait.policy IS 'Policy of the trait; refers to trait_policy';
COMMENT ON COLUMN o2o.customer_trait.place IS 'Rank by the policy, 1 and up without gaps within customer and name';

CREATE OR REPLACE VIEW o2o.customer_record AS
SELECT t.customer_id, t.name, t.value, t.source, t.profile_id, t.observed_at, t.is_verified, t.is_pinned, t.policy
FROM o2o.customer_trait t
WHERE t.place = 1;
COMMENT ON VIEW o2o.customer_record IS 'The golden record: one row per customer and trait, the value that the policy of the trait prefers, and which source said it when, by which profile. Live.';
COMMENT ON COLUMN o2o.customer_record.customer_id IS 'Customer; an anonymous profile is its own';
COMMENT ON COLUMN o2o.customer_record.name IS 'Name of the trait';
COMMENT ON COLUMN o2o.customer_record.value IS 'Value as text';
COMMENT ON COLUMN o2o.customer_record.source IS 'Source system that says so; refers to source';
COMMENT ON COLUMN o2o.customer_record.profile_id IS 'Profile of which it says so; refers to profile';
COMMENT ON COLUMN o2o.customer_record.observed_at IS 'When the event that brought the value happened';
COMMENT ON COLUMN o2o.customer_record.is_verified IS 'Whether this value is marked as verified';
COMMENT ON COLUMN o2o.customer_record.is_pinned IS 'Whether this value is pinned, which stands above the policy';
COMMENT ON COLUMN o2o.customer_record.policy IS 'Policy of the trait; refers to trait_policy';

CREATE OR REPLACE FUNCTION o2o.trait_mark(profile_id bigint, source text, name text, kind text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	said text := (SELECT t.value FROM o2o.profile_trait t
		WHERE t.profile_id = trait_mark.profile_id AND t.source = trait_mark.source AND t.name = trait_mark.name);
BEGIN
	IF said IS NULL THEN
		RAISE EXCEPTION 'the source has not said this of the profile'
			USING ERRCODE = 'O2209', DETAIL = format('Profile %s, source %s, trait %s.', coalesce(profile_id::text, 'NULL'), coalesce(source, 'NULL'), coalesce(name, 'NULL')),
				HINT = 'The view customer_trait lists what sources have said.';
	ELSIF coalesce(reason, '') = '' THEN
		RAISE EXCEPTION 'a mark on a trait needs a reason' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	INSERT INTO o2o.profile_trait_mark AS m (profile_id, source, name, kind, value, reason)
	VALUES (trait_mark.profile_id, trait_mark.source, trait_mark.name, trait_mark.kind, said, trait_mark.reason)
	ON CONFLICT ON CONSTRAINT profile_trait_mark_pkey
	DO UPDATE SET value = excluded.value, reason = excluded.reason, marked_at = excluded.marked_at, marked_by = excluded.marked_by;
END $$;
COMMENT ON FUNCTION o2o.trait_mark(bigint, text, text, text, text) IS 'Marks what a source says of a profile now: name of the trait, kind (verified: counts for the policy verified_first; pinned: the golden record shows it whatever the policy says, the one pinned last where several are), reason (needed). The mark is void as soon as the source says another value. Errors: O2209 the source has not said this of the profile, 22004 no reason, 23514 another kind.';

CREATE OR REPLACE FUNCTION o2o.trait_unmark(profile_id bigint, source text, name text, kind text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM o2o.profile_trait_mark m
	WHERE m.profile_id = trait_unmark.profile_id AND m.source = trait_unmark.source AND m.name = trait_unmark.name AND m.kind = trait_unmark.kind;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION o2o.trait_unmark(bigint, text, text, text) IS 'Takes a mark of trait_mark() away. Returns whether there was one.';
