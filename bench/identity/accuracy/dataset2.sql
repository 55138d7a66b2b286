-- FEBRL 2: 5,000 records of 4,000 people
-- file: dataset2.csv
-- floor: f1 0.998
CREATE TABLE raw (rec_id text, given_name text, surname text, street_number text, address_1 text, address_2 text, suburb text,
	postcode text, state text, date_of_birth text, soc_sec_id text);
\copy raw FROM pstdin CSV HEADER
CREATE VIEW record AS
	SELECT row_number() OVER (ORDER BY rec_id) AS id, split_part(trim(rec_id), '-', 2) AS truth, given_name, surname, street_number,
		address_1, suburb, postcode, state, date_of_birth, soc_sec_id
	FROM raw;
\set columns '{"given_name": "forename", "surname": "surname", "street_number": "house_number", "address_1": "street", "suburb": "city", "postcode": "postcode", "state": "region", "date_of_birth": "birth_date", "soc_sec_id": "national_id"}'
