-- dedupe's restaurants of two guides: 864 records, 112 in both; one of a guide
-- file: restaurant-1.csv restaurant-2.csv
CREATE TABLE raw (name text, address text, city text, cuisine text, unique_id text, guide bigserial);
\copy raw (name, address, city, cuisine, unique_id) FROM pstdin CSV HEADER QUOTE '|'
CREATE VIEW record AS
	SELECT guide AS id, btrim(unique_id, ' ''') AS truth, btrim(name, ' "') AS name, btrim(address, ' "') AS address, btrim(city, ' "') AS city,
		CASE WHEN guide <= 112 THEN 'one' ELSE 'two' END AS guide
	FROM raw;
\set columns '{"name": "full_name", "address": "street", "city": "city", "guide": "source"}'
