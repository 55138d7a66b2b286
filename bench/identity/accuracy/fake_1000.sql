-- Splink's fake_1000: 1,000 records of 251 people, one value in five missing
-- file: fake_1000.csv
-- floor: f1 0.92
CREATE TABLE raw (unique_id bigint, first_name text, surname text, dob text, city text, email text, cluster text);
\copy raw FROM pstdin CSV HEADER
CREATE VIEW record AS SELECT unique_id AS id, cluster AS truth, first_name, surname, dob, city, email FROM raw;
\set columns '{"first_name": "forename", "surname": "surname", "dob": "birth_date", "city": "city", "email": "email"}'
