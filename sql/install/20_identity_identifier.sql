-- Identity: the type identifier, its parts, its order.

CREATE TYPE o2o.identifier;

CREATE FUNCTION o2o.identifier_in(cstring) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_in';
COMMENT ON FUNCTION o2o.identifier_in(cstring) IS 'Text input of the type identifier; see there. Errors: 22P02 invalid, 22001 too long, O2005 a domain that is not ASCII without the module o2o_idn, 0A000 a text that is not ASCII in a database that is not UTF8.';

CREATE FUNCTION o2o.identifier_out(o2o.identifier) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_out';
COMMENT ON FUNCTION o2o.identifier_out(o2o.identifier) IS 'Text output of the type identifier: kind:value in normal form.';

CREATE FUNCTION o2o.identifier_recv(internal) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_recv';
COMMENT ON FUNCTION o2o.identifier_recv(internal) IS 'Binary input of the type identifier: the text, brought into normal form as by text input. Errors as of o2o.identifier_in(cstring).';

CREATE FUNCTION o2o.identifier_send(o2o.identifier) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_send';
COMMENT ON FUNCTION o2o.identifier_send(o2o.identifier) IS 'Binary output of the type identifier: its text.';

CREATE TYPE o2o.identifier (
	INPUT = o2o.identifier_in,
	OUTPUT = o2o.identifier_out,
	RECEIVE = o2o.identifier_recv,
	SEND = o2o.identifier_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = main,
	CATEGORY = 'S',
	PREFERRED = false
);
COMMENT ON TYPE o2o.identifier IS 'One identifier of a person, device or record: kind:value in normal form, at most 512 bytes. The kind is [a-z][a-z0-9_]*, 63 bytes at most. Every value is NFKC, trimmed and without control characters; phone is E.164; email is lower-cased with an ASCII domain; card has no spaces and dashes and is upper-cased; device is lower-cased (ASCII letters, all three); openid is <app>/<id>; ref is <source>/<id>; the values of other kinds (unionid, cookie, alipay ...) are kept as they are. The same text means the same identifier under every setting.';

CREATE FUNCTION o2o.identifier(input text) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_from_text';
COMMENT ON FUNCTION o2o.identifier(text) IS 'Reads kind:value, as the cast from text does. Errors as of o2o.identifier_in(cstring).';

CREATE FUNCTION o2o.identifier(kind text, value text) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_make';
COMMENT ON FUNCTION o2o.identifier(text, text) IS 'The identifier of a kind and a value, both brought into normal form. Errors as of o2o.identifier_in(cstring).';

CREATE FUNCTION o2o.identifier_or_null(input text) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_or_null';
COMMENT ON FUNCTION o2o.identifier_or_null(text) IS 'Reads kind:value; NULL where the text is no identifier or too long, for bulk loads. Errors that do not lie in the text remain: O2005 module o2o_idn missing, 0A000 encoding of the database.';

CREATE FUNCTION o2o.identifier_email(address text, fold boolean DEFAULT false) RETURNS o2o.identifier
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_email';
COMMENT ON FUNCTION o2o.identifier_email(text, boolean) IS 'The identifier of an e-mail address. With fold, addresses of one mailbox become one: a tag after + in the local part goes, and for gmail.com and googlemail.com the dots go and the domain becomes gmail.com. Errors: 22P02 no address, O2005 a domain that is not ASCII without the module o2o_idn.';

CREATE FUNCTION o2o.identifier_phone(number text, country text) RETURNS o2o.identifier
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_phone';
COMMENT ON FUNCTION o2o.identifier_phone(text, text) IS 'The identifier of a phone number in any usual form, by libphonenumber: number, country (two letters of ISO 3166-1, either case; NULL if the number begins with +). A number that is clean E.164 already is read without the library. STABLE, not IMMUTABLE: the numbering plans come with the library. NULL for a NULL number. Errors: 22P02 no possible number of that country, a national number without a country, a number with an extension; 22023 invalid country; O2005 module o2o_phone missing.';

CREATE FUNCTION o2o.identifier_phone_or_null(number text, country text) RETURNS o2o.identifier
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_phone_or_null';
COMMENT ON FUNCTION o2o.identifier_phone_or_null(text, text) IS 'As o2o.identifier_phone(text, text), with NULL for a number that cannot be read, for bulk loads. Errors that remain: 22023 invalid country, O2005 module o2o_phone missing.';

CREATE FUNCTION o2o.identifier_kind(identifier o2o.identifier) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_kind';
COMMENT ON FUNCTION o2o.identifier_kind(o2o.identifier) IS 'The kind: the part before the first colon.';

CREATE FUNCTION o2o.identifier_value(identifier o2o.identifier) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_value';
COMMENT ON FUNCTION o2o.identifier_value(o2o.identifier) IS 'The value in normal form: the part after the first colon.';

CREATE FUNCTION o2o.identifier_mask(identifier o2o.identifier) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_mask';
COMMENT ON FUNCTION o2o.identifier_mask(o2o.identifier) IS 'The identifier as logs and screens may show it: kind, three stars and the last two characters of the value, such as phone:***00; no character of a value shorter than five.';

CREATE CAST (o2o.identifier AS text) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (o2o.identifier AS text) IS 'kind:value in normal form; without cost, since both types are stored alike.';
CREATE CAST (text AS o2o.identifier) WITH FUNCTION o2o.identifier(text);
COMMENT ON CAST (text AS o2o.identifier) IS 'Explicit only: reads kind:value as o2o.identifier(text) does.';

CREATE FUNCTION o2o.identifier_eq(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_eq';
COMMENT ON FUNCTION o2o.identifier_eq(o2o.identifier, o2o.identifier) IS 'Implementation of the operator =: equal in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_ne(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_ne';
COMMENT ON FUNCTION o2o.identifier_ne(o2o.identifier, o2o.identifier) IS 'Implementation of the operator <>: not equal in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_lt(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_lt';
COMMENT ON FUNCTION o2o.identifier_lt(o2o.identifier, o2o.identifier) IS 'Implementation of the operator <: less in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_le(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_le';
COMMENT ON FUNCTION o2o.identifier_le(o2o.identifier, o2o.identifier) IS 'Implementation of the operator <=: less or equal in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_gt(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_gt';
COMMENT ON FUNCTION o2o.identifier_gt(o2o.identifier, o2o.identifier) IS 'Implementation of the operator >: greater in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_ge(o2o.identifier, o2o.identifier) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_ge';
COMMENT ON FUNCTION o2o.identifier_ge(o2o.identifier, o2o.identifier) IS 'Implementation of the operator >=: greater or equal in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.= (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_eq,
	COMMUTATOR = OPERATOR(o2o.=), NEGATOR = OPERATOR(o2o.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR o2o.= (o2o.identifier, o2o.identifier) IS 'Equal, in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.<> (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_ne,
	COMMUTATOR = OPERATOR(o2o.<>), NEGATOR = OPERATOR(o2o.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR o2o.<> (o2o.identifier, o2o.identifier) IS 'Not equal, in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.< (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_lt,
	COMMUTATOR = OPERATOR(o2o.>), NEGATOR = OPERATOR(o2o.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR o2o.< (o2o.identifier, o2o.identifier) IS 'Less, in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.<= (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_le,
	COMMUTATOR = OPERATOR(o2o.>=), NEGATOR = OPERATOR(o2o.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR o2o.<= (o2o.identifier, o2o.identifier) IS 'Less or equal, in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.> (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_gt,
	COMMUTATOR = OPERATOR(o2o.<), NEGATOR = OPERATOR(o2o.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR o2o.> (o2o.identifier, o2o.identifier) IS 'Greater, in the order of the bytes of the normal form.';

CREATE OPERATOR o2o.>= (
	LEFTARG = o2o.identifier, RIGHTARG = o2o.identifier, FUNCTION = o2o.identifier_ge,
	COMMUTATOR = OPERATOR(o2o.<=), NEGATOR = OPERATOR(o2o.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR o2o.>= (o2o.identifier, o2o.identifier) IS 'Greater or equal, in the order of the bytes of the normal form.';

CREATE FUNCTION o2o.identifier_cmp(o2o.identifier, o2o.identifier) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_cmp';
COMMENT ON FUNCTION o2o.identifier_cmp(o2o.identifier, o2o.identifier) IS 'Order of two identifiers by the bytes of their normal form: -1, 0 or 1. Support of btree indexes.';

CREATE FUNCTION o2o.identifier_sortsupport(internal) RETURNS void
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifier_sortsupport';
COMMENT ON FUNCTION o2o.identifier_sortsupport(internal) IS 'Sort support of btree indexes on identifiers.';

CREATE FUNCTION o2o.identifier_hash(o2o.identifier) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_hash';
COMMENT ON FUNCTION o2o.identifier_hash(o2o.identifier) IS 'Hash of an identifier, 32 bits. Support of hash indexes, joins and groups.';

CREATE FUNCTION o2o.identifier_hash_extended(o2o.identifier, bigint) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'o2o_identifier_hash_extended';
COMMENT ON FUNCTION o2o.identifier_hash_extended(o2o.identifier, bigint) IS 'Hash of an identifier with a seed, 64 bits. Support of hash partitions.';

CREATE OPERATOR CLASS o2o.identifier_ops DEFAULT FOR TYPE o2o.identifier USING btree AS
	OPERATOR 1 o2o.<, OPERATOR 2 o2o.<=, OPERATOR 3 o2o.=, OPERATOR 4 o2o.>=, OPERATOR 5 o2o.>,
	FUNCTION 1 o2o.identifier_cmp(o2o.identifier, o2o.identifier),
	FUNCTION 2 o2o.identifier_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS o2o.identifier_ops USING btree IS 'Order of identifiers by the bytes of their normal form, the same under every collation.';
COMMENT ON OPERATOR FAMILY o2o.identifier_ops USING btree IS 'Order of identifiers.';

CREATE OPERATOR CLASS o2o.identifier_ops DEFAULT FOR TYPE o2o.identifier USING hash AS
	OPERATOR 1 o2o.=,
	FUNCTION 1 o2o.identifier_hash(o2o.identifier),
	FUNCTION 2 o2o.identifier_hash_extended(o2o.identifier, bigint);
COMMENT ON OPERATOR CLASS o2o.identifier_ops USING hash IS 'Hashes of identifiers, for indexes, joins, groups and partitions.';
COMMENT ON OPERATOR FAMILY o2o.identifier_ops USING hash IS 'Hashes of identifiers.';

CREATE FUNCTION o2o.identifiers_from_json(input jsonb, default_country text DEFAULT NULL) RETURNS o2o.identifier[]
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_identifiers_from_json';
COMMENT ON FUNCTION o2o.identifiers_from_json(jsonb, text) IS 'The identifiers of one event, distinct and in their order. input is an object from kind to value, {"phone": "138 0013 8000", "card": [88001, "88002"]}, a value being a string, a whole number, null or an array of these; or an array of texts, ["card:88001"]. Null and blank values are dropped. Phones that are not clean E.164 are read as by o2o.identifier_phone(text, text) with default_country (two letters of ISO 3166-1). NULL for NULL. Errors: 22P02 a key that is no kind, a value that is no identifier of its kind; 22001 too long; 22023 another shape of input, invalid country; O2205 more than 100 identifiers; O2005 a module is needed and missing.';

CREATE FUNCTION o2o.identifiers_from_json_or_null(input jsonb, default_country text DEFAULT NULL) RETURNS o2o.identifier[]
LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'o2o_identifiers_from_json_or_null';
COMMENT ON FUNCTION o2o.identifiers_from_json_or_null(jsonb, text) IS 'As identifiers_from_json(), but NULL where the input holds anything that is no identifier: for bulk loads, which ask value by value. Errors: O2205 too many identifiers, O2005 the phone module is missing.';
