// node build.mjs DATA.json OUT.html: bundles page, style, data and the outline
// of the land around the stores into one file that needs no network.
import {readFile, writeFile} from "node:fs/promises";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {geoBounds} from "d3-geo";
import {build} from "esbuild";
import {feature, mesh} from "topojson-client";

const here = dirname(fileURLToPath(import.meta.url));
const [input, output] = process.argv.slice(2);
if (!output) {
	console.error("usage: node build.mjs DATA.json OUT.html");
	process.exit(2);
}
const data = JSON.parse(await readFile(input, "utf8"));
data.outline = await outline(data.stores.filter((s) => s.lon !== null));

const bundle = await build({entryPoints: [join(here, "page.js")], bundle: true, minify: true, format: "iife", target: "es2020", write: false, logLevel: "warning"});
const parts = {
	"/*STYLE*/": await readFile(join(here, "page.css"), "utf8"),
	"/*DATA*/": JSON.stringify(data).replace(/</g, "\\u003c"),
	"/*SCRIPT*/": bundle.outputFiles[0].text.replace(/<\/script/gi, "<\\/script"),
};
const page = (await readFile(join(here, "page.html"), "utf8")).replace(/\/\*(STYLE|DATA|SCRIPT)\*\//g, (mark) => parts[mark]);
await writeFile(output, page);
console.log(`${output}: ${Math.round(Buffer.byteLength(page) / 1024)} kB`);

// Land and borders near the stores: states where all stores are American, else
// countries; coordinates to a hundredth of a degree.
async function outline(stores) {
	const american = stores.length > 0 && stores.every((s) => s.country === "US");
	const box = [Math.min(...stores.map((s) => s.lon)) - 25, Math.min(...stores.map((s) => s.lat)) - 18, Math.max(...stores.map((s) => s.lon)) + 25, Math.max(...stores.map((s) => s.lat)) + 18];
	const near = (f) => {
		const [[west, south], [east, north]] = geoBounds(f);
		return (east < west || (east >= box[0] && west <= box[2])) && north >= box[1] && south <= box[3];
	};
	const world = JSON.parse(await readFile(join(here, "node_modules/world-atlas/countries-50m.json"), "utf8"));
	const countries = {type: "GeometryCollection", geometries: world.objects.countries.geometries.filter((g) => near(feature(world, g)))};
	const land = feature(world, countries);
	let borders = mesh(world, countries, (a, b) => a !== b);
	if (american) {
		const us = JSON.parse(await readFile(join(here, "node_modules/us-atlas/states-10m.json"), "utf8"));
		borders = mesh(us, us.objects.states, (a, b) => a !== b);
	}
	const round = (c) => (typeof c[0] === "number" ? [Math.round(c[0] * 100) / 100, Math.round(c[1] * 100) / 100] : c.map(round));
	return {
		land: {type: "FeatureCollection", features: land.features.map((f) => ({type: "Feature", properties: {}, geometry: {type: f.geometry.type, coordinates: round(f.geometry.coordinates)}}))},
		borders: {type: "MultiLineString", coordinates: round(borders.coordinates)},
	};
}
