-- PostGIS ST_Distance(geography)
SELECT sum(ST_Distance(store.geog, asked.geog)) FROM store, asked WHERE asked.id <= 10100;
