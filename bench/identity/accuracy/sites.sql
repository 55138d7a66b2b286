-- dedupe's early childhood sites of Chicago: 3,337 records of 1,162 sites; names, addresses, phones
-- file: csv_example_input_with_true_ids.csv
CREATE TABLE raw (true_id text, id text, source text, site_name text, address text, zip text, phone text, fax text, c9 text, c10 text, c11 text, c12 text, c13 text, c14 text, c15 text,
	c16 text, c17 text, c18 text, c19 text, c20 text, c21 text, c22 text, c23 text, c24 text, c25 text, c26 text, c27 text, c28 text, c29 text, c30 text, c31 text, c32 text, c33 text);
\copy raw FROM pstdin CSV HEADER
CREATE VIEW record AS
	SELECT row_number() OVER (ORDER BY id::bigint) AS id, true_id AS truth, site_name, address, zip, phone FROM raw;
\set columns '{"site_name": "full_name", "address": "street", "zip": "postcode", "phone": "phone"}'
