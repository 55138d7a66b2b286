-- Splink's historical_50k, the half for tuning: 25,085 records of 2,558 people
-- file: historical_50k_tune.csv
-- floor: edge_f1 0.83, f1 0.88, bcubed_f1 0.92
CREATE TABLE raw (unique_id text, cluster text, full_name text, first_and_surname text, first_name text, surname text, dob text,
	birth_place text, postcode_fake text, gender text, occupation text);
\copy raw FROM pstdin CSV HEADER
CREATE VIEW record AS
	SELECT row_number() OVER (ORDER BY unique_id) AS id, cluster AS truth, first_name, surname, dob, birth_place, postcode_fake, gender, occupation
	FROM raw;
\set columns '{"first_name": "forename", "surname": "surname", "dob": "birth_date", "birth_place": "city", "postcode_fake": "postcode", "gender": "gender", "occupation": "occupation"}'
