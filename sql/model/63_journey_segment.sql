-- The journeys room: segments, and who belongs to them since when. A membership
-- stands with the profile by which the person was recognised; whose it is today is
-- decided at read. How a segment is computed is not here.

CREATE TABLE IF NOT EXISTS o2o.segment (
	segment text NOT NULL PRIMARY KEY CHECK (segment ~ '^[a-z][a-z0-9_]*$'),
	name text NOT NULL,
	description text,
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE o2o.segment IS 'Groups of customers that somebody wants to speak of: one row each. segment_create() writes it.';
COMMENT ON COLUMN o2o.segment.segment IS 'Code, a word such as vip or lapsed_90d';
COMMENT ON COLUMN o2o.segment.name IS 'Name for people';
COMMENT ON COLUMN o2o.segment.description IS 'Who belongs to it and what it is for; NULL: not said';
COMMENT ON COLUMN o2o.segment.created_at IS 'When it was made (start of the transaction)';
COMMENT ON COLUMN o2o.segment.created_by IS 'Login role that made it';

CREATE SEQUENCE IF NOT EXISTS o2o.segment_member_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.segment_member (
	profile_id bigint NOT NULL,
	member_id bigint NOT NULL DEFAULT nextval('o2o.segment_member_id_seq'),
	segment text NOT NULL REFERENCES o2o.segment,
	valid_from timestamptz NOT NULL,
	valid_to timestamptz,
	source text NOT NULL REFERENCES o2o.source,
	reason text,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	recorded_by text NOT NULL DEFAULT session_user,
	ended_at timestamptz,
	ended_by text,
	end_reason text,
	PRIMARY KEY (profile_id, member_id),
	CHECK (valid_to >= valid_from),
	CHECK ((valid_to IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS segment_member_open_idx ON o2o.segment_member (profile_id, segment) WHERE valid_to IS NULL;
CREATE INDEX IF NOT EXISTS segment_member_segment_idx ON o2o.segment_member (segment);
COMMENT ON TABLE o2o.segment_member IS 'Who belongs to a segment, one row per profile and time: a membership that ends keeps its row, one that begins again gets another. A merge or an unmerge changes no row: each profile keeps its memberships.';
COMMENT ON COLUMN o2o.segment_member.profile_id IS 'Profile by which the person was recognised; refers to profile';
COMMENT ON COLUMN o2o.segment_member.member_id IS 'Number of the membership';
COMMENT ON COLUMN o2o.segment_member.segment IS 'Segment; refers to segment';
COMMENT ON COLUMN o2o.segment_member.valid_from IS 'From when the person belongs to it';
COMMENT ON COLUMN o2o.segment_member.valid_to IS 'Until when, that moment left out; NULL: still';
COMMENT ON COLUMN o2o.segment_member.source IS 'Source system that said so; refers to source';
COMMENT ON COLUMN o2o.segment_member.reason IS 'Why the person belongs to it; NULL: not said';
COMMENT ON COLUMN o2o.segment_member.recorded_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.segment_member.recorded_by IS 'Login role that wrote the row';
COMMENT ON COLUMN o2o.segment_member.ended_at IS 'When the end was written (start of the transaction); NULL: there is none';
COMMENT ON COLUMN o2o.segment_member.ended_by IS 'Login role that wrote the end; NULL: there is none';
COMMENT ON COLUMN o2o.segment_member.end_reason IS 'Why it ended; NULL: it did not, or not said';

CREATE OR REPLACE FUNCTION o2o.segment_create(segment text, name text, description text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO o2o.segment AS s (segment, name, description)
	VALUES (segment_create.segment, segment_create.name, segment_create.description)
	ON CONFLICT ON CONSTRAINT segment_pkey DO UPDATE SET name = excluded.name, description = coalesce(excluded.description, s.description);
END $$;
COMMENT ON FUNCTION o2o.segment_create(text, text, text) IS 'Makes a segment: a code (a word such as vip), a name for people, and who belongs to it. Called again with the same code it changes the name, and the description where one is given. Errors: 23514 the code is no such word, 23502 no code or no name.';

CREATE OR REPLACE FUNCTION o2o.segment_check(segment text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.segment s WHERE s.segment = segment_check.segment) THEN
		RAISE EXCEPTION 'there is no segment "%"', coalesce(segment_check.segment, '<NULL>')
			USING ERRCODE = 'O2601', HINT = 'Make it: SELECT o2o.segment_create(segment => …, name => …).';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.segment_check(text) IS 'Error: O2601 there is no such segment.';

CREATE OR REPLACE FUNCTION o2o.segment_add_many(persons bigint[], segment text, source text, reason text DEFAULT NULL, since timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing bigint := (
		SELECT min(u.id) FROM unnest(persons) u (id) WHERE NOT EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = u.id));
	added bigint;
BEGIN
	PERFORM o2o.person_profile(missing), o2o.segment_check(segment_add_many.segment), o2o.source_country(segment_add_many.source), o2o.moment_check(since);
	-- Of one profile no two memberships overlap.
	INSERT INTO o2o.segment_member (profile_id, segment, valid_from, source, reason)
	SELECT u.id, segment_add_many.segment, greatest(since, max(m.valid_to)), segment_add_many.source, segment_add_many.reason
	FROM unnest(persons) u (id)
		LEFT JOIN o2o.segment_member m ON m.profile_id = u.id AND m.segment = segment_add_many.segment
	WHERE u.id IS NOT NULL
	GROUP BY u.id
	ORDER BY u.id
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS added = ROW_COUNT;
	RETURN added;
END $$;
COMMENT ON FUNCTION o2o.segment_add_many(bigint[], text, text, text, timestamptz) IS 'The same for persons known by profile or customer ids, such as (SELECT array_agg(customer_id) FROM …). NULLs are passed over.';

CREATE OR REPLACE FUNCTION o2o.segment_add_many(persons o2o.identifier[], segment text, source text, reason text DEFAULT NULL, since timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_add_many(ARRAY(SELECT o2o.person_profile(u.id) FROM unnest(persons) u (id)), segment, source, reason, since);
END $$;
COMMENT ON FUNCTION o2o.segment_add_many(o2o.identifier[], text, text, text, timestamptz) IS 'segment_add() for many persons in one call: all of them or, with an error, none. Returns how many memberships it began. Errors: as segment_add().';

CREATE OR REPLACE FUNCTION o2o.segment_add(person bigint, segment text, source text, reason text DEFAULT NULL, since timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_add_many(ARRAY[person], segment, source, reason, since) > 0;
END $$;
COMMENT ON FUNCTION o2o.segment_add(bigint, text, text, text, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.segment_add(person o2o.identifier, segment text, source text, reason text DEFAULT NULL, since timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_add(o2o.person_profile(person), segment, source, reason, since);
END $$;
COMMENT ON FUNCTION o2o.segment_add(o2o.identifier, text, text, text, timestamptz) IS 'Adds a person, known by an identifier such as card:88001, to a segment: registered source that says so, why, and since when (not before an earlier membership of the profile ended). The membership stands with the profile by which the person is known here, so that a split gives it back to that one. Returns whether a membership began: false, where this profile has one that goes on, which is left as it is. Errors: O2201 nobody has the identifier, O2601 no such segment, O2101 unknown source, 22023 since not finite or ahead.';

CREATE OR REPLACE FUNCTION o2o.segment_remove_many(persons bigint[], segment text, reason text DEFAULT NULL, until timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing bigint := (
		SELECT min(u.id) FROM unnest(persons) u (id) WHERE NOT EXISTS (SELECT FROM o2o.profile p WHERE p.profile_id = u.id));
	roots bigint[];
	members bigint[];
	member bigint;
	ended bigint := 0;
	moment timestamptz := now();
BEGIN
	PERFORM o2o.person_profile(missing), o2o.segment_check(segment_remove_many.segment), o2o.moment_check(until);
	roots := o2o.customer_lock(array_remove(persons, NULL));
	members := ARRAY(SELECT p.profile_id FROM o2o.profile p WHERE p.customer_id = ANY (roots) ORDER BY p.profile_id);
	FOREACH member IN ARRAY members LOOP
		UPDATE o2o.segment_member m
		SET valid_to = greatest(m.valid_from, until), ended_at = moment, ended_by = session_user, end_reason = segment_remove_many.reason
		WHERE m.profile_id = member AND m.segment = segment_remove_many.segment AND m.valid_to IS NULL;
		ended := ended + CASE WHEN FOUND THEN 1 ELSE 0 END;
	END LOOP;
	RETURN ended;
END $$;
COMMENT ON FUNCTION o2o.segment_remove_many(bigint[], text, text, timestamptz) IS 'The same for persons known by profile or customer ids. NULLs are passed over.';

CREATE OR REPLACE FUNCTION o2o.segment_remove_many(persons o2o.identifier[], segment text, reason text DEFAULT NULL, until timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_remove_many(ARRAY(SELECT o2o.person_profile(u.id) FROM unnest(persons) u (id)), segment, reason, until);
END $$;
COMMENT ON FUNCTION o2o.segment_remove_many(o2o.identifier[], text, text, timestamptz) IS 'segment_remove() for many persons in one call: all of them or, with an error, none. Returns how many memberships it ended. Errors: as segment_remove().';

CREATE OR REPLACE FUNCTION o2o.segment_remove(person bigint, segment text, reason text DEFAULT NULL, until timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_remove_many(ARRAY[person], segment, reason, until) > 0;
END $$;
COMMENT ON FUNCTION o2o.segment_remove(bigint, text, text, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.segment_remove(person o2o.identifier, segment text, reason text DEFAULT NULL, until timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.segment_remove(o2o.person_profile(person), segment, reason, until);
END $$;
COMMENT ON FUNCTION o2o.segment_remove(o2o.identifier, text, text, timestamptz) IS 'Takes a customer, known by an identifier of its, out of a segment: the memberships of all its profiles end, with a reason, at until (or where they began, if that is later). They stay on record. Returns whether one ended: false, where the customer is no member. Errors: O2201 nobody has the identifier, O2601 no such segment, 22023 until not finite or ahead.';

CREATE OR REPLACE FUNCTION o2o.segment_members(segment text, as_of timestamptz DEFAULT now())
RETURNS TABLE (customer_id bigint, since timestamptz, profiles bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM o2o.segment_check(segment_members.segment);
	RETURN QUERY
	SELECT p.customer_id, min(m.valid_from), array_agg(m.profile_id ORDER BY m.profile_id)
	FROM o2o.segment_member m JOIN o2o.profile p ON p.profile_id = m.profile_id
	WHERE m.segment = segment_members.segment AND m.valid_from <= as_of AND (m.valid_to IS NULL OR m.valid_to > as_of)
	GROUP BY p.customer_id
	ORDER BY p.customer_id;
END $$;
COMMENT ON FUNCTION o2o.segment_members(text, timestamptz) IS 'The members of a segment at a time, as customers of today: customer_id, since when (the earliest of its profiles), and the profiles that belong to it, ascending. Error: O2601 no such segment.';

CREATE OR REPLACE FUNCTION o2o.customer_segments(person bigint, as_of timestamptz DEFAULT now())
RETURNS TABLE (segment text, name text, since timestamptz, source text, reason text, profile_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT DISTINCT ON (m.segment COLLATE "C") m.segment, s.name, m.valid_from, m.source, m.reason, m.profile_id
	FROM o2o.segment_member m JOIN o2o.segment s ON s.segment = m.segment
	WHERE m.profile_id = ANY (o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person))))
		AND m.valid_from <= as_of AND (m.valid_to IS NULL OR m.valid_to > as_of)
	ORDER BY m.segment COLLATE "C", m.valid_from, m.profile_id;
END $$;
COMMENT ON FUNCTION o2o.customer_segments(bigint, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.customer_segments(person o2o.identifier, as_of timestamptz DEFAULT now())
RETURNS TABLE (segment text, name text, since timestamptz, source text, reason text, profile_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM o2o.customer_segments(o2o.person_profile(person), as_of);
END $$;
COMMENT ON FUNCTION o2o.customer_segments(o2o.identifier, timestamptz) IS 'The segments of a customer, known by an identifier, at a time, by the profiles that it has today: one row per segment, with the membership that began first: since, source, reason, and the profile that it stands with. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE VIEW o2o.segment_customer AS
SELECT m.segment, s.name, p.customer_id, min(m.valid_from) AS since, count(*) AS profiles
FROM o2o.segment_member m
	JOIN o2o.segment s ON s.segment = m.segment
	JOIN o2o.profile p ON p.profile_id = m.profile_id
WHERE m.valid_from <= now() AND (m.valid_to IS NULL OR m.valid_to > now())
GROUP BY m.segment, s.name, p.customer_id;
COMMENT ON VIEW o2o.segment_customer IS 'One row per segment and customer of today who belongs to it now. Live.';
COMMENT ON COLUMN o2o.segment_customer.segment IS 'Segment; refers to segment';
COMMENT ON COLUMN o2o.segment_customer.name IS 'Name of the segment';
COMMENT ON COLUMN o2o.segment_customer.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.segment_customer.since IS 'Since when: the earliest of its profiles; instant';
COMMENT ON COLUMN o2o.segment_customer.profiles IS 'Profiles of the customer that belong to the segment';
