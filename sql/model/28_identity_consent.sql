-- The identity room: consent, per profile, purpose and channel. A decision is
-- a row that is never changed; what holds for a customer is decided at read.

CREATE SEQUENCE IF NOT EXISTS o2o.consent_id_seq AS bigint CACHE 32;
CREATE TABLE IF NOT EXISTS o2o.profile_consent (
	profile_id bigint NOT NULL,
	consent_id bigint NOT NULL DEFAULT nextval('o2o.consent_id_seq'),
	purpose text NOT NULL CHECK (purpose ~ '^[a-z][a-z0-9_]*$'),
	channel text NOT NULL CHECK (channel ~ '^([a-z][a-z0-9_]*|\*)$'),
	is_granted boolean NOT NULL,
	source text NOT NULL REFERENCES o2o.source,
	text_version text,
	occurred_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	recorded_by text NOT NULL DEFAULT session_user,
	PRIMARY KEY (profile_id, consent_id)
);
COMMENT ON TABLE o2o.profile_consent IS 'Decisions of persons on what may be done with their data, append-only. They stay with the profile by which the person was recognised: an unmerge gives each side its own.';
COMMENT ON COLUMN o2o.profile_consent.profile_id IS 'Profile by which the person was recognised; refers to profile';
COMMENT ON COLUMN o2o.profile_consent.consent_id IS 'Number of the decision';
COMMENT ON COLUMN o2o.profile_consent.purpose IS 'What for, a word of the owner''s such as marketing, profiling, sharing';
COMMENT ON COLUMN o2o.profile_consent.channel IS 'By which channel of contact, such as sms, email, phone, app; *: all of them';
COMMENT ON COLUMN o2o.profile_consent.is_granted IS 'true: consent was given; false: it was refused or withdrawn';
COMMENT ON COLUMN o2o.profile_consent.source IS 'Source system where the person decided; refers to source';
COMMENT ON COLUMN o2o.profile_consent.text_version IS 'Version of the text that the person saw; NULL: not said';
COMMENT ON COLUMN o2o.profile_consent.occurred_at IS 'When the person decided';
COMMENT ON COLUMN o2o.profile_consent.recorded_at IS 'When the row was written (start of the transaction)';
COMMENT ON COLUMN o2o.profile_consent.recorded_by IS 'Login role that wrote the row';

CREATE OR REPLACE FUNCTION o2o.consent_record(person bigint, purpose text, channel text, is_granted boolean, source text,
	text_version text DEFAULT NULL, occurred_at timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	recorded bigint;
BEGIN
	PERFORM o2o.person_profile(person), o2o.source_country(consent_record.source), o2o.moment_check(occurred_at);
	INSERT INTO o2o.profile_consent AS c (profile_id, purpose, channel, is_granted, source, text_version, occurred_at)
	VALUES (person, consent_record.purpose, consent_record.channel, consent_record.is_granted, consent_record.source,
		consent_record.text_version, consent_record.occurred_at)
	RETURNING c.consent_id INTO recorded;
	RETURN recorded;
END $$;
COMMENT ON FUNCTION o2o.consent_record(bigint, text, text, boolean, text, text, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.consent_record(person o2o.identifier, purpose text, channel text, is_granted boolean, source text,
	text_version text DEFAULT NULL, occurred_at timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.consent_record(o2o.person_profile(person), purpose, channel, is_granted, source, text_version, occurred_at);
END $$;
COMMENT ON FUNCTION o2o.consent_record(o2o.identifier, text, text, boolean, text, text, timestamptz) IS 'Records what a person decided, who is known by an identifier such as card:88001: purpose (a word such as marketing), channel of contact (a word such as sms, or * for all), whether consent is given (false: refused or withdrawn), registered source, version of the text shown, when. Said twice it stands twice and holds once. Returns the number of the decision. Errors: O2201 nobody has the identifier, O2101 unknown source, 22023 occurred_at not finite or ahead, 23514 purpose or channel is no such word, 23502 one of them is NULL.';

CREATE OR REPLACE FUNCTION o2o.consent_given(person bigint, purpose text, channel text, at timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((
		SELECT c.is_granted FROM o2o.profile_consent c
		WHERE c.profile_id = ANY (o2o.customer_profiles(o2o.profile_customer(o2o.person_profile(person))))
			AND c.purpose = consent_given.purpose AND c.channel IN (consent_given.channel, '*') AND c.occurred_at <= at
		ORDER BY c.occurred_at DESC, c.is_granted LIMIT 1), false);
END $$;
COMMENT ON FUNCTION o2o.consent_given(bigint, text, text, timestamptz) IS 'The same for a person known by profile or customer id.';

CREATE OR REPLACE FUNCTION o2o.consent_given(person o2o.identifier, purpose text, channel text, at timestamptz DEFAULT now()) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN o2o.consent_given(o2o.person_profile(person), purpose, channel, at);
END $$;
COMMENT ON FUNCTION o2o.consent_given(o2o.identifier, text, text, timestamptz) IS 'Whether a person, known by an identifier, may be contacted for a purpose by a channel: the latest decision up to at on it, or on all channels (*), by any profile that is of the customer today; of two at the same moment the refusal. Without a decision: no. Error: O2201 nobody has the identifier.';

CREATE OR REPLACE VIEW o2o.customer_consent AS
SELECT DISTINCT ON (d.customer_id, d.purpose, d.channel)
	d.customer_id, d.purpose, d.channel, d.is_granted, d.source, d.text_version, d.occurred_at, d.profile_id
FROM (
	SELECT w.customer_id, w.purpose, w.channel, c.is_granted, c.source, c.text_version, c.occurred_at, c.profile_id, c.consent_id
	FROM (
		SELECT DISTINCT coalesce(p.customer_id, c.profile_id) AS customer_id, c.purpose, c.channel
		FROM o2o.profile_consent c LEFT JOIN o2o.profile p ON p.profile_id = c.profile_id
	) w
		JOIN o2o.profile_consent c ON c.purpose = w.purpose AND c.channel IN (w.channel, '*') AND c.occurred_at <= now()
		LEFT JOIN o2o.profile p ON p.profile_id = c.profile_id
	WHERE coalesce(p.customer_id, c.profile_id) = w.customer_id
) d
ORDER BY d.customer_id, d.purpose, d.channel, d.occurred_at DESC, d.is_granted, d.consent_id DESC;
COMMENT ON VIEW o2o.customer_consent IS 'What holds now: one row per customer, purpose and channel on which the customer decided, with the decision that consent_given() goes by, and where it comes from. A decision on all channels (*) stands above earlier ones on a single channel. Live.';
COMMENT ON COLUMN o2o.customer_consent.customer_id IS 'Customer that the profile resolves to today';
COMMENT ON COLUMN o2o.customer_consent.purpose IS 'What for';
COMMENT ON COLUMN o2o.customer_consent.channel IS 'Channel of contact; *: all of them';
COMMENT ON COLUMN o2o.customer_consent.is_granted IS 'Whether consent holds';
COMMENT ON COLUMN o2o.customer_consent.source IS 'Source system where the person decided; refers to source';
COMMENT ON COLUMN o2o.customer_consent.text_version IS 'Version of the text that the person saw; NULL: not said';
COMMENT ON COLUMN o2o.customer_consent.occurred_at IS 'When the person decided';
COMMENT ON COLUMN o2o.customer_consent.profile_id IS 'Profile by which the person was recognised then; refers to profile';
