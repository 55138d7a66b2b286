-- identifiers_from_json(): the identifiers of one event.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
SET search_path = public, o2o;

-- An object: single values, arrays, numbers; sorted, distinct.
SELECT identifiers_from_json('{"phone": "+8613800138000", "unionid": "oX1"}');
SELECT identifiers_from_json('{"unionid": "oX1", "card": ["88-002", 88001, "88002"], "phone": "138 0013 8000", "email": "Ann@Example.com"}', 'CN');
SELECT identifiers_from_json('{"CARD": "a", "card": ["A", "b"]}');
SELECT identifiers_from_json('{"phone": [13800138000, 13800138000.0, 1.3800138e10, "+86 138 0013 8000", "0086-13800138000", "１３８ ００１３ ８０００"]}', 'cn');
SELECT identifiers_from_json('{"card": 88001.0, "ref": "crm/1"}');
-- A number that says its country needs no default country.
SELECT identifiers_from_json('{"phone": ["+44 (0)20 7946 0958", " ＋８６ 13800138000"]}');
-- An array of texts.
SELECT identifiers_from_json('["phone:+8613800138000", "card:88001", " CARD:88-001 ", "ref:crm/1"]');
SELECT identifiers_from_json('["phone:138 0013 8000", "phone：13800138001", " Phone : 021-61234567"]', 'CN');

-- Dirty input: null and blank values are dropped.
SELECT identifiers_from_json('{"phone": null, "card": "", "email": "  ", "unionid": ["", null, "\u3000", "oX1"], "device": [], "cookie": "\u200b"}');
SELECT identifiers_from_json('{"phone": "-", "card": " - "}');
SELECT identifiers_from_json('["", null, "card:", "phone: ", " \u3000"]');
SELECT identifiers_from_json('{}'), identifiers_from_json('[]'), identifiers_from_json(NULL), identifiers_from_json('{"card": 1}', NULL);

-- Errors: values.
SELECT identifiers_from_json('{"phone": "13800138000"}');
SELECT identifiers_from_json('{"phone": "12"}', 'CN');
SELECT identifiers_from_json('{"phone": "13800138000"}', 'China');
SELECT identifiers_from_json('{"email": ["ann@example.com", "ann"]}');
SELECT identifiers_from_json('["card:1", "88001"]');
SELECT identifiers_from_json('["13800138000"]', 'CN');
SELECT identifiers_from_json('{"card": -5}');
SELECT identifiers_from_json('{"card": 1.5}');
SELECT identifiers_from_json(jsonb_build_object('cookie', repeat('x', 600)));
-- Errors: keys, also of values that would be dropped.
SELECT identifiers_from_json('{"my card": "1"}');
SELECT identifiers_from_json('{"": null}');
SELECT identifiers_from_json('{"手机": []}');
-- Errors: shapes.
SELECT identifiers_from_json('"card:1"');
SELECT identifiers_from_json('7');
SELECT identifiers_from_json('null');
SELECT identifiers_from_json('{"card": true}');
SELECT identifiers_from_json('{"card": {"a": 1}}');
SELECT identifiers_from_json('{"card": [[1]]}');
SELECT identifiers_from_json('{"card": [{"a": 1}]}');
SELECT identifiers_from_json('[7]');
SELECT identifiers_from_json('[["card:1"]]');
SELECT identifiers_from_json('[{"card": 1}]');

-- At most 100 different ones.
SELECT cardinality(identifiers_from_json(jsonb_build_object('card', jsonb_agg(i % 100)))) FROM generate_series(1, 1000) i;
SELECT cardinality(identifiers_from_json(jsonb_build_object('card', jsonb_agg(i)))) FROM generate_series(1, 101) i;

-- Sorted as the type sorts.
SELECT identifiers_from_json(jsonb_agg('card:' || i)) = array_agg(identifier('card', i::text) ORDER BY identifier('card', i::text)) AS sorted FROM generate_series(1, 100) i;

-- SQLSTATEs: no kind, bad value, bad number, bad shape, bad country, too long, too many.
\set VERBOSITY sqlstate
SELECT identifiers_from_json('{"my card": "1"}');
SELECT identifiers_from_json('{"email": "ann"}');
SELECT identifiers_from_json('{"card": 1.5}');
SELECT identifiers_from_json('{"card": true}');
SELECT identifiers_from_json('{"phone": "13800138000"}', 'XX');
SELECT identifiers_from_json(jsonb_build_object('cookie', repeat('x', 600)));
SELECT identifiers_from_json(jsonb_build_object('card', jsonb_agg(i))) FROM generate_series(1, 101) i;
