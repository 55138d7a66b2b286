-- Base: texts in CSV, for the imports.

CREATE FUNCTION o2o.csv_rows(csv text, delimiter text DEFAULT ',') RETURNS TABLE (line integer, fields text[])
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000 AS 'MODULE_PATHNAME', 'o2o_csv_rows';
COMMENT ON FUNCTION o2o.csv_rows(text, text) IS 'The lines of a text in CSV (RFC 4180: fields in quotes may have delimiters, line ends and doubled quotes), with the number of the line on which each begins, from 1; the first is the header, where there is one. A field that is empty and not in quotes is NULL. Empty lines are left out, as is a byte order mark. delimiter is one byte. Errors: 22P04 quotes that are not closed, text after a closing quote, more than 1600 fields, each with its line; 22023 another delimiter.';
