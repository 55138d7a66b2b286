-- The table place of so many positions as :places says, in the order in which they would open: stores of a chain with one
-- in every town. The towns are the cities of GeoNames (CC BY, cities15000.txt, read from O2O_DATA, default ../shared/data);
-- a town has stores by its inhabitants to the power of 2/3, for the larger it is the more people share one. They are dense in
-- its middle and thin outside (normal, 1.8 km). Without the file as many towns are drawn anywhere, few of them large.
\set cities `file=${O2O_DATA:-../shared/data}/stores/geonames_cities15000_2013.txt.gz; [ ! -e "$file" ] || echo "$file"`
SELECT setseed(0.42), :'cities' <> '' AS have_cities \gset
CREATE TABLE town (latitude double precision, longitude double precision, inhabitants double precision);
\if :have_cities
\setenv O2O_CITIES :cities
\copy town FROM PROGRAM 'zcat "$O2O_CITIES" | cut -f 5,6,15'
\else
INSERT INTO town SELECT degrees(asin(-0.7 + 1.6 * random())), -170 + 340 * random(), 15000 / (1 - random()) FROM generate_series(1, 22636);
\endif
INSERT INTO note (note)
SELECT format('Stores in %s: %s.', CASE WHEN :'have_cities' THEN 'the cities of GeoNames' ELSE 'towns drawn at random (no file of cities in O2O_DATA)' END, count(*)) FROM town;

CREATE TABLE place AS
SELECT row_number() OVER () AS id, o2o.geopoint(longitude + distance * 1800 / 111320 / cosd(latitude) * sin(angle),
	latitude + distance * 1800 / 111320 * cos(angle)) AS pos
FROM (SELECT longitude, latitude, sqrt(-2 * ln(1 - random())) AS distance, 2 * pi() * random() AS angle
	-- a query of its own: an order by random() lends its numbers to whatever else is random beside it
	FROM (SELECT t.longitude, t.latitude
		FROM (SELECT *, sum(share) OVER () AS shares FROM (SELECT *, greatest(inhabitants, 1000) ^ (2.0 / 3) AS share FROM town) town) t,
			generate_series(1, ceil(:places * t.share / t.shares)::integer)
		ORDER BY random() LIMIT :places) shop) placed;
