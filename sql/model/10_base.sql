-- The base room: sources, channels, organisations, locations with hours, currencies.

CREATE TABLE IF NOT EXISTS o2o.source (
	source text NOT NULL PRIMARY KEY CHECK (source ~ '^[a-z][a-z0-9_]*$'),
	name text NOT NULL,
	kind text NOT NULL DEFAULT 'system',
	default_country text CHECK (default_country ~ '^[A-Z]{2}$'),
	-- unknown to the server it is an error here rather than in every search that meets one of its places
	time_zone text NOT NULL DEFAULT 'UTC' CHECK (timezone(time_zone, timestamptz '2000-01-01 00:00+00') IS NOT NULL),
	created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE o2o.source IS 'Systems that send data. A record of a source is ref:<source>/<id>.';
COMMENT ON COLUMN o2o.source.source IS 'Code of the source system, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.source.name IS 'Name to show';
COMMENT ON COLUMN o2o.source.kind IS 'What it is, in free words such as pos, shop, crm, social, system';
COMMENT ON COLUMN o2o.source.default_country IS 'Country of its national phone numbers, ISO 3166 alpha-2; NULL: it may send international numbers only';
COMMENT ON COLUMN o2o.source.time_zone IS 'IANA time zone of its local times; its places have it unless they name another';
COMMENT ON COLUMN o2o.source.created_at IS 'When the row was written (start of the transaction)';

CREATE TABLE IF NOT EXISTS o2o.channel (
	channel text NOT NULL PRIMARY KEY CHECK (channel ~ '^[a-z][a-z0-9_]*$'),
	name text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('online', 'offline'))
);
COMMENT ON TABLE o2o.channel IS 'Sales and contact channels; kind says whether a channel is online or offline, which every cross-channel figure is built on.';
COMMENT ON COLUMN o2o.channel.channel IS 'Code of the channel, [a-z][a-z0-9_]*';
COMMENT ON COLUMN o2o.channel.name IS 'Name to show';
COMMENT ON COLUMN o2o.channel.kind IS 'online or offline';

CREATE TABLE IF NOT EXISTS o2o.currency (
	currency text NOT NULL PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
	digits smallint NOT NULL,
	name text NOT NULL
);
COMMENT ON TABLE o2o.currency IS 'Currencies that orders and points programs may be in.';
COMMENT ON COLUMN o2o.currency.currency IS 'ISO 4217 code, three capital letters';
COMMENT ON COLUMN o2o.currency.digits IS 'Digits after the decimal point to which amounts are rounded';
COMMENT ON COLUMN o2o.currency.name IS 'Name to show';

CREATE SEQUENCE IF NOT EXISTS o2o.organisation_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.organisation (
	organisation_id bigint NOT NULL DEFAULT nextval('o2o.organisation_id_seq') PRIMARY KEY,
	parent_organisation_id bigint REFERENCES o2o.organisation,
	code text NOT NULL UNIQUE,
	name text NOT NULL,
	kind text NOT NULL DEFAULT 'brand' CHECK (kind IN ('legal_entity', 'brand', 'partner', 'seller'))
);
COMMENT ON TABLE o2o.organisation IS 'Legal entities, brands, partners and sellers, as a tree.';
COMMENT ON COLUMN o2o.organisation.organisation_id IS 'Number of the organisation';
COMMENT ON COLUMN o2o.organisation.parent_organisation_id IS 'Organisation it belongs to; refers to organisation; NULL at the top';
COMMENT ON COLUMN o2o.organisation.code IS 'Own code, by which location_import() names it';
COMMENT ON COLUMN o2o.organisation.name IS 'Name to show';
COMMENT ON COLUMN o2o.organisation.kind IS 'legal_entity, brand, partner or seller';

CREATE SEQUENCE IF NOT EXISTS o2o.location_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.location (
	location_id bigint NOT NULL DEFAULT nextval('o2o.location_id_seq') PRIMARY KEY,
	parent_location_id bigint REFERENCES o2o.location,
	organisation_id bigint REFERENCES o2o.organisation,
	source text NOT NULL REFERENCES o2o.source,
	source_id text NOT NULL,
	name text NOT NULL,
	kind text NOT NULL DEFAULT 'store' CHECK (kind IN ('chain', 'region', 'store', 'counter', 'warehouse')),
	roles text[] NOT NULL DEFAULT '{shop}',
	services text[] NOT NULL DEFAULT '{}',
	position o2o.geopoint,
	attractiveness double precision NOT NULL DEFAULT 1 CHECK (attractiveness > 0 AND attractiveness < 'infinity'),
	time_zone text NOT NULL DEFAULT 'UTC' CHECK (timezone(time_zone, timestamptz '2000-01-01 00:00+00') IS NOT NULL),
	week_hours integer[] NOT NULL DEFAULT '{}' CHECK (o2o.week_hours_valid(week_hours)),
	address text,
	city text,
	region text,
	country text,
	opened_on date,
	closed_on date,
	UNIQUE (source, source_id),
	CHECK (closed_on >= opened_on)
);
COMMENT ON TABLE o2o.location IS 'Places of the organisation as a tree, each known by (source, source_id).';
COMMENT ON COLUMN o2o.location.location_id IS 'Number of the place';
COMMENT ON COLUMN o2o.location.parent_location_id IS 'Place it is part of; refers to location; NULL at the top';
COMMENT ON COLUMN o2o.location.organisation_id IS 'Whose place it is; refers to organisation; NULL: not said';
COMMENT ON COLUMN o2o.location.source IS 'Source system it came from; refers to source';
COMMENT ON COLUMN o2o.location.source_id IS 'Number of the place in the source';
COMMENT ON COLUMN o2o.location.name IS 'Name to show';
COMMENT ON COLUMN o2o.location.kind IS 'chain, region, store, counter or warehouse';
COMMENT ON COLUMN o2o.location.roles IS 'What it is used as, in free words such as shop, warehouse, production, service_centre; stores_nearest() looks for shop; competitor: a shop of somebody else';
COMMENT ON COLUMN o2o.location.services IS 'What it offers, in free words such as pickup; empty: nothing said';
COMMENT ON COLUMN o2o.location.position IS 'Where it is, WGS84; NULL: unknown, and no search by distance finds it';
COMMENT ON COLUMN o2o.location.attractiveness IS 'What draws customers, in the same measure for all places, such as floor area; for the Huff model (huff_probabilities)';
COMMENT ON COLUMN o2o.location.time_zone IS 'IANA time zone of its opening hours, opened_on and closed_on';
COMMENT ON COLUMN o2o.location.week_hours IS 'Weekly opening hours in time_zone, as week_hours() makes them of a text such as Mo-Fr 09:00-18:00: begin and end of each interval in seconds since Monday 00:00; location_hours shows them as rows; empty: never open but on the days of location_hours_exception';
COMMENT ON COLUMN o2o.location.address IS 'Street address; NULL: unknown';
COMMENT ON COLUMN o2o.location.city IS 'City; NULL: unknown';
COMMENT ON COLUMN o2o.location.region IS 'Region, province or state; NULL: unknown';
COMMENT ON COLUMN o2o.location.country IS 'Country as the source writes it; NULL: unknown';
COMMENT ON COLUMN o2o.location.opened_on IS 'First local day on which it exists; NULL: no bound';
COMMENT ON COLUMN o2o.location.closed_on IS 'First local day on which it exists no more; NULL: no bound';

CREATE OR REPLACE VIEW o2o.location_hours AS
SELECT l.location_id, (l.week_hours[i.n] / 86400 + 1)::smallint AS weekday, time '00:00' + make_interval(secs => l.week_hours[i.n] % 86400) AS opens,
	CASE l.week_hours[i.n + 1] % 86400 WHEN 0 THEN time '24:00' ELSE time '00:00' + make_interval(secs => l.week_hours[i.n + 1] % 86400) END AS closes
FROM o2o.location l CROSS JOIN LATERAL generate_series(1, cardinality(l.week_hours), 2) i (n);
COMMENT ON VIEW o2o.location_hours IS 'Weekly opening hours of the places (location.week_hours), one row per interval, in the place''s time zone.';
COMMENT ON COLUMN o2o.location_hours.location_id IS 'Place; refers to location';
COMMENT ON COLUMN o2o.location_hours.weekday IS 'ISO weekday on which the interval begins, 1 Monday to 7 Sunday';
COMMENT ON COLUMN o2o.location_hours.opens IS 'Local time at which it opens';
COMMENT ON COLUMN o2o.location_hours.closes IS 'Local time at which it closes; at or before opens: on the next day; 24:00: the end of the day';

CREATE TABLE IF NOT EXISTS o2o.location_hours_exception (
	location_id bigint NOT NULL REFERENCES o2o.location,
	day date NOT NULL CHECK (isfinite(day)),
	interval_no smallint NOT NULL DEFAULT 1 CHECK (interval_no > 0),
	opens time,
	closes time,
	note text,
	PRIMARY KEY (location_id, day, interval_no),
	CHECK ((opens IS NULL) = (closes IS NULL))
);
COMMENT ON TABLE o2o.location_hours_exception IS 'Days on which other hours hold than the weekly ones, such as holidays, one row an interval; a day closed is one row without hours.';
COMMENT ON COLUMN o2o.location_hours_exception.location_id IS 'Place; refers to location';
COMMENT ON COLUMN o2o.location_hours_exception.day IS 'Local day on which the hours begin';
COMMENT ON COLUMN o2o.location_hours_exception.interval_no IS 'Which interval of the day, from 1 on';
COMMENT ON COLUMN o2o.location_hours_exception.opens IS 'Local time at which it opens; NULL: closed all day';
COMMENT ON COLUMN o2o.location_hours_exception.closes IS 'Local time at which it closes; at or before opens: on the next day; NULL: closed all day';
COMMENT ON COLUMN o2o.location_hours_exception.note IS 'Why, such as the name of the holiday; NULL: not said';

INSERT INTO o2o.channel (channel, name, kind) VALUES
	('web', 'Web shop', 'online'), ('app', 'App', 'online'), ('mini_program', 'Mini-program', 'online'),
	('marketplace', 'Marketplace', 'online'), ('phone', 'Telephone', 'online'), ('social', 'Social media', 'online'),
	('store', 'Store', 'offline'), ('pos', 'Point of sale', 'offline'), ('kiosk', 'Kiosk in store', 'offline')
ON CONFLICT DO NOTHING;
INSERT INTO o2o.currency (currency, digits, name) VALUES
	('CNY', 2, 'Yuan renminbi'), ('EUR', 2, 'Euro'), ('USD', 2, 'US dollar'), ('GBP', 2, 'Pound sterling'),
	('JPY', 0, 'Yen'), ('HKD', 2, 'Hong Kong dollar'), ('SGD', 2, 'Singapore dollar'), ('TWD', 2, 'New Taiwan dollar'),
	('KRW', 0, 'Won'), ('INR', 2, 'Indian rupee'), ('BRL', 2, 'Brazilian real'), ('CHF', 2, 'Swiss franc'),
	('CAD', 2, 'Canadian dollar'), ('AUD', 2, 'Australian dollar'), ('SEK', 2, 'Swedish krona'), ('KWD', 3, 'Kuwaiti dinar')
ON CONFLICT DO NOTHING;
INSERT INTO o2o.source (source, name, kind, default_country) VALUES
	('pos', 'Tills', 'pos', NULL), ('web', 'Web shop', 'shop', NULL), ('app', 'App', 'shop', NULL),
	('wechat', 'WeChat', 'social', 'CN'), ('crm', 'Customer file', 'crm', NULL)
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.source_register(source text, name text, kind text DEFAULT NULL,
	default_country text DEFAULT NULL, time_zone text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO o2o.source AS s (source, name, kind, default_country, time_zone)
	VALUES (source_register.source, source_register.name, coalesce(source_register.kind, 'system'),
		upper(source_register.default_country), coalesce(source_register.time_zone, 'UTC'))
	ON CONFLICT (source) DO UPDATE SET name = excluded.name, kind = coalesce(source_register.kind, s.kind),
		default_country = coalesce(excluded.default_country, s.default_country),
		time_zone = coalesce(source_register.time_zone, s.time_zone)
$$;
COMMENT ON FUNCTION o2o.source_register(text, text, text, text, text) IS 'Registers a system that sends data, or changes its row: code ([a-z][a-z0-9_]*), name, kind (default system), default country of its national phone numbers (ISO 3166 alpha-2; default none), IANA time zone of its local times (default UTC). What is left out (NULL) stays as it is in a row that exists. Errors: 22023 unknown time zone, 23514 a code of another form, 23502 no name.';
