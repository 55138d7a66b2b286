-- A million pairs of names of 12 letters: of four one with a letter replaced, one with two swapped, two of different names.
-- (WHERE n > 0 makes the letters of each name anew.)
CREATE SCHEMA similarity;
CREATE EXTENSION pg_similarity SCHEMA similarity;
CREATE SCHEMA fuzzy;
CREATE EXTENSION fuzzystrmatch SCHEMA fuzzy;
SELECT setseed(0.42);
CREATE TABLE name AS
SELECT n, (SELECT string_agg(substr('aeiourstnlmdaeiorstnlhcbgk', 1 + floor(random() * 26)::integer, 1), '') FROM generate_series(1, 12) AS k WHERE n > 0) AS name
FROM generate_series(1, 1000000) AS n;
CREATE TABLE name_pair AS
SELECT name AS a, CASE n % 4
		WHEN 0 THEN overlay(name PLACING 'x' FROM 1 + n / 4 % 12 FOR 1)
		WHEN 1 THEN overlay(name PLACING reverse(substr(name, 1 + n / 4 % 11, 2)) FROM 1 + n / 4 % 11 FOR 2)
		ELSE lead(name, 1, name) OVER (ORDER BY n) END AS b
FROM name;
CREATE TABLE name_pair_wide AS
SELECT overlay(a PLACING 'é' FROM 5 FOR 1) AS a, overlay(b PLACING '中' FROM 7 FOR 1) AS b FROM name_pair;
