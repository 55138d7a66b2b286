-- RecordLinkage's RLdata500: 500 records of 450 people
-- file: RLdata500.csv
-- floor: f1 0.98
CREATE TABLE raw (fname_c1 text, fname_c2 text, lname_c1 text, lname_c2 text, by integer, bm integer, bd integer, rec_id bigint, ent_id text);
\copy raw FROM pstdin CSV HEADER NULL 'NA'
CREATE VIEW record AS
	SELECT rec_id AS id, ent_id AS truth, fname_c1, lname_c1, format('%s-%s-%s', by, bm, bd) AS birth FROM raw;
\set columns '{"fname_c1": "forename", "lname_c1": "surname", "birth": "birth_date"}'
