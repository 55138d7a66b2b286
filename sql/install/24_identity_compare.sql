-- Identity: how far two values agree.

CREATE FUNCTION o2o.jaro(a text, b text) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'o2o_jaro';
COMMENT ON FUNCTION o2o.jaro(text, text) IS 'Similarity of two strings by Jaro, 0 to 1: the mean of the matched share of a, that of b, and the share of the matched characters that stand in the same order. A character matches a free equal one at most max(length) / 2 - 1 places away; half the matched characters that stand in another order, rounded down, are transpositions. By characters, not bytes; case, accents and forms count (lower, unaccent, normalize first). Two empty strings give 1, one gives 0: an empty string is a value, so nullif(a, '''') where it means that nothing is known. Errors: 54000 more than 4096 characters, 22021 bytes that are no characters of the database''s encoding; in a SQL_ASCII database bytes are characters. Reference: Jaro, Advances in record-linkage methodology, JASA 84 (1989).';

CREATE FUNCTION o2o.jaro_winkler(a text, b text) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'o2o_jaro_winkler';
COMMENT ON FUNCTION o2o.jaro_winkler(text, text) IS 'Similarity of two names by Jaro and Winkler, 0 to 1: s = jaro(a, b), and where s is above 0.7, s + 0.1 * p * (1 - s), p being the number of equal characters that both begin with, at most 4. MARTHA and MARHTA have 0.9611. By characters; empty strings, case and errors as in jaro: 54000 more than 4096 characters, 22021 bytes that are no characters. Reference: Winkler, String comparator metrics and enhanced decision rules in the Fellegi-Sunter model of record linkage, 1990.';

CREATE FUNCTION o2o.damerau_levenshtein(a text, b text) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'o2o_damerau_levenshtein';
COMMENT ON FUNCTION o2o.damerau_levenshtein(text, text) IS 'Damerau-Levenshtein distance: the fewest characters added, dropped, replaced, or swapped with the neighbour that turn a into b, 0 to max(length). The unrestricted distance, a metric: characters may be added or dropped between two that were swapped, so that CA and ABC have 2 (the optimal string alignment distance, which is no metric, has 3). By characters; case counts. Time grows with the product of the lengths. Errors: 54000 more than 4096 characters, 22021 bytes that are no characters of the database''s encoding. Reference: Lowrance and Wagner, An extension of the string-to-string correction problem, JACM 22 (1975).';

CREATE FUNCTION o2o.date_agreement(a date, b date) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'o2o_date_agreement';
COMMENT ON FUNCTION o2o.date_agreement(date, date) IS 'How far two dates, of birth for example, agree: 4 the same; 3 one slip, that is one digit of YYYYMMDD wrong, two neighbouring ones swapped, or day and month swapped; 2 at most 31 days apart; 1 at most 366 days apart; 0 further. The highest level that fits. Slips are looked for in the years 1 to 9999; infinity agrees with itself alone (4 or 0).';

CREATE FUNCTION o2o.phone_agreement(a text, b text) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'o2o_phone_agreement';
COMMENT ON FUNCTION o2o.phone_agreement(text, text) IS 'How far two phone numbers, however written, agree: 3 the same digits; 2 the shorter is the end of the longer and has 7 digits or more (country or area missing on one side; not where both have a plus sign); 1 one slip, that is one digit wrong, missing or too many, or two neighbouring ones swapped, with country or area missing or not; 0 none of these. Compared are the digits, full-width ones too, without leading zeros, without the (0) of +44 (0)20 and without an extension, which a letter, #, comma or semicolon begins. NULL, no evidence, where a side has fewer than 5 digits or more than 20.';

CREATE FUNCTION o2o.email_agreement(a text, b text) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'o2o_email_agreement';
COMMENT ON FUNCTION o2o.email_agreement(text, text) IS 'How far two e-mail addresses agree: 4 the same; 3 the same but for the dots and the +tag of the local part; 2 the same local part, dots and +tag apart, at another domain; 1 local parts alike, jaro_winkler 0.9 or more; 0 none of these. Case of ASCII letters and space around an address do not count. NULL, no evidence, where a side has nothing before or after its last @, or more than 320 bytes.';

CREATE FUNCTION o2o.jaccard(a text[], b text[]) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'o2o_jaccard';
COMMENT ON FUNCTION o2o.jaccard(text[], text[]) IS 'Overlap of two sets by Jaccard, 0 to 1: the number of elements in both divided by the number in either. Repeated elements count once, NULL elements not at all, dimensions do not matter; elements are equal when their bytes are. Two empty sets give 1, one gives 0: nullif(a, ''{}'') where an empty set means that nothing is known. Reference: Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11 (1912).';
