// One function a figure: takes the report's data, gives an element. Colours say
// the same everywhere: blue online, orange in stores, green both.
import * as Plot from "@observablehq/plot";
import {geoMercator} from "d3-geo";
import {count, money, percent, short, signOf, sum} from "./format.js";

export const COLOUR = {online: "#2f6fb7", offline: "#e08a2e", both: "#3b8f6d", quiet: "#c3cad3"};
const SHADES = {online: ["#2f6fb7", "#7fb0e0", "#1c4a80", "#a9cdf0", "#4f8fd0"], offline: ["#e08a2e", "#f3bd7f", "#b5651d"]};

// Every channel gets a shade of its kind's colour, the same in every figure.
export function channelColours(data) {
	const sales = new Map();
	for (const m of data.months) sales.set(m.channel, {name: m.channel_name, kind: m.kind, sales: (sales.get(m.channel)?.sales ?? 0) + m.sales});
	const taken = {online: 0, offline: 0};
	return [...sales.values()].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : b.sales - a.sales))
		.map((c) => ({...c, colour: SHADES[c.kind][taken[c.kind]++ % SHADES[c.kind].length]}));
}

const asMonth = (text) => new Date(`${text}T00:00:00Z`);
const perCurrency = (rows) => [...new Set(rows.map((r) => r.currency))].map((currency) => ({currency, rows: rows.filter((r) => r.currency === currency)}));

// Months: stacked bars, one panel for each currency.
export function months(data, width) {
	const channels = channelColours(data);
	const panels = perCurrency(data.months);
	const unitOf = (rows) => (Math.max(...rows.map((r) => r.sales)) >= 3e5 ? [1e6, "million"] : [1e3, "thousand"]);
	return panels.map(({currency, rows}) => ({
		heading: panels.length > 1 ? `${rows[0].channel_name}, in ${currency}` : null,
		chart: Plot.plot({
			width: panels.length > 1 ? width / panels.length - 13 : width, height: 270, marginLeft: 48, marginBottom: 28, marginTop: 22,
			x: {interval: "month", label: null, tickFormat: monthTick()},
			y: {grid: true, label: `Sales, ${signOf(currency)} ${unitOf(rows)[1]}`, transform: (v) => v / unitOf(rows)[0], ticks: 5, nice: true},
			color: {domain: channels.map((c) => c.name), range: channels.map((c) => c.colour)},
			marks: [
				Plot.rectY(rows, {
					x: (r) => asMonth(r.month), y: "sales", fill: "channel_name", order: channels.map((c) => c.name), reverse: false, insetLeft: 1.5, insetRight: 1.5,
					title: (r) => `${r.channel_name}, ${r.month.slice(0, 7)}\n${money(r.sales, currency)}, ${count(r.orders)} orders`,
				}),
				Plot.ruleY([0], {stroke: "#8b95a3"}),
			],
		}),
	}));
}

function monthTick() {
	const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
	return (d, i) => (i === 0 || d.getUTCMonth() === 0 ? `${names[d.getUTCMonth()]}\n${d.getUTCFullYear()}` : names[d.getUTCMonth()]);
}

// Sold × fulfilled: one cell for each pair, its share of the currency's sales inside.
export function matrix(data, width) {
	return perCurrency(data.matrix).map(({currency, rows}, _, panels) => {
		const total = sum(rows, (r) => r.sales);
		const crosses = (r) => r.sold_kind !== r.fulfilled_kind;
		const order = [...new Set(rows.map((r) => r.sold_name))].length;
		return {
			heading: panels.length > 1 ? `In ${currency}` : null,
			chart: Plot.plot({
				width: panels.length > 1 ? width / panels.length - 13 : width, height: 74 + 52 * order, marginLeft: 98, marginTop: 38, marginBottom: 6, padding: 0.06,
				x: {axis: "top", label: "Handed over by →", tickSize: 0, domain: names(rows, "fulfilled")},
				y: {label: "↓ Sold by", tickSize: 0, domain: names(rows, "sold")},
				opacity: {type: "sqrt", domain: [0, Math.max(...rows.map((r) => r.sales))], range: [0.12, 1]},
				marks: [
					Plot.cell(rows, {x: "fulfilled_name", y: "sold_name", fill: (r) => (crosses(r) ? COLOUR.both : r.sold_kind === "online" ? COLOUR.online : COLOUR.offline), fillOpacity: "sales", rx: 4}),
					Plot.text(rows, {
						x: "fulfilled_name", y: "sold_name", fontSize: 13, fontWeight: 600, lineHeight: 1.15,
						fill: (r) => (r.sales > 0.16 * Math.max(...rows.map((x) => x.sales)) ? "white" : "#1d2430"),
						text: (r) => `${money(r.sales, currency)}\n${percent(r.sales / total)}`,
					}),
				],
			}),
		};
	});
}

function names(rows, side) {
	const kind = new Map(rows.map((r) => [r[`${side}_name`], r[`${side}_kind`]]));
	const size = (name) => sum(rows.filter((r) => r[`${side}_name`] === name), (r) => r.sales);
	return [...kind.keys()].sort((a, b) => (kind.get(a) === kind.get(b) ? size(b) - size(a) : kind.get(a) === "online" ? -1 : 1));
}

// Segments: what share of the customers, the orders and the sales each holds.
export function segments(data, width) {
	const kinds = data.segments;
	const measures = [["customers", "of customers"], ["orders", "of orders"], ...data.headline.currencies.map((c) => [`sales_${c.currency}`, data.headline.currencies.length > 1 ? `of sales in ${c.currency}` : "of sales"])];
	const rows = measures.flatMap(([key, label]) => {
		const total = sum(kinds, (s) => s[key]);
		let from = 0;
		return kinds.map((s) => {
			const share = total ? (s[key] ?? 0) / total : 0;
			return {label, segment: s.segment, share, x1: from, x2: (from += share)};
		});
	});
	const colour = {"online only": COLOUR.online, "both": COLOUR.both, "store only": COLOUR.offline};
	return [{
		heading: null,
		chart: Plot.plot({
			width, height: 40 + 68 * measures.length, marginLeft: 96, marginBottom: 30,
			x: {label: null, tickFormat: (v) => percent(v), domain: [0, 1], ticks: 5, grid: true},
			y: {label: null, domain: measures.map((m) => m[1]), tickSize: 0, padding: 0.24},
			marks: [
				Plot.barX(rows, {x1: "x1", x2: "x2", y: "label", fill: (r) => colour[r.segment], insetRight: 1}),
				Plot.text(rows.filter((r) => r.share > 0.05), {x: (r) => (r.x1 + r.x2) / 2, y: "label", text: (r) => percent(r.share), fill: "white", fontWeight: 600, fontSize: 13}),
			],
		}),
	}];
}

// Funnel: people who came to each stage through all before it, and what part of the stage before they are.
export function funnel(data, width) {
	const rows = data.funnel.map((r, i) => ({...r, rate: i ? r.people / data.funnel[i - 1].people : null}));
	return [{
		heading: null,
		chart: Plot.plot({
			width, height: 24 + 50 * rows.length, marginLeft: 76, marginRight: 116, marginBottom: 6,
			x: {axis: null, domain: [0, Math.max(...rows.map((r) => r.people))]},
			y: {label: null, tickSize: 0, domain: rows.map((r) => r.stage), padding: 0.2, tickFormat: (s) => s[0].toUpperCase() + s.slice(1)},
			marks: [
				Plot.barX(rows, {x: "people", y: "stage", fill: (r) => (r.stage === "deal" ? COLOUR.both : COLOUR.quiet), rx: 3}),
				Plot.text(rows, {x: "people", y: "stage", text: (r) => short(r.people), textAnchor: "start", dx: 8, dy: -7, fontWeight: 600, fontSize: 13.5}),
				Plot.text(rows, {x: "people", y: "stage", text: (r) => (r.rate === null ? "customers" : `${percent(r.rate)} of those before`), textAnchor: "start", dx: 8, dy: 8, fill: "#5b6573", fontSize: 11.5}),
			],
		}),
	}];
}

// Categories: what sells online to the right, in stores to the left, as shares of the category.
export function categories(data, width) {
	return perCurrency(data.categories).map(({currency, rows}, _, panels) => {
		const total = new Map();
		for (const r of rows) total.set(r.category, (total.get(r.category) ?? 0) + r.sales);
		const order = [...total].sort((a, b) => b[1] - a[1]).slice(0, 10).map((c) => c[0]);
		const shown = rows.filter((r) => order.includes(r.category));
		const both = new Set(rows.map((r) => r.kind)).size > 1;
		const online = new Map(rows.filter((r) => r.kind === "online").map((r) => [r.category, r.sales / total.get(r.category)]));
		const unit = Math.max(...total.values()) >= 5e5 ? [1e6, "million"] : [1e3, "thousand"];
		return {
			heading: panels.length > 1 ? `In ${currency}` : null,
			chart: Plot.plot({
				width: panels.length > 1 ? width / panels.length - 13 : width, height: 56 + 27 * order.length, marginLeft: 112, marginRight: both ? 92 : 20, marginBottom: 36,
				x: {label: `Sales, ${signOf(currency)} ${unit[1]}`, labelAnchor: "center", labelArrow: "none", grid: true, ticks: 5, transform: (v) => v / unit[0]},
				y: {label: null, tickSize: 0, domain: order, padding: 0.24},
				marks: [
					Plot.barX(shown, {x: "sales", y: "category", fill: (r) => COLOUR[r.kind], order: ["offline", "online"], z: "kind", insetRight: 1, title: (r) => `${r.category}, ${r.kind}\n${money(r.sales, currency)}`}),
					both ? Plot.text(order, {x: (c) => total.get(c), y: (c) => c, text: (c) => `${percent(online.get(c) ?? 0)} online`, textAnchor: "start", dx: 7, fill: "#5b6573"}) : null,
					Plot.ruleX([0], {stroke: "#8b95a3"}),
				],
			}),
		};
	});
}

// The stores that sell most.
export function topStores(data, width) {
	const rows = data.stores.filter((s) => s.sales > 0).sort((a, b) => b.sales - a.sales).slice(0, 12);
	const currency = rows[0].currency;
	return [{
		heading: `The first ${rows.length}`,
		chart: Plot.plot({
			width, height: 30 + 27 * rows.length, marginLeft: 118, marginRight: 56, marginTop: 6, marginBottom: 6,
			x: {axis: null, domain: [0, rows[0].sales]}, y: {label: null, tickSize: 0, domain: rows.map((s) => s.name), padding: 0.3, tickFormat: (name) => (name.length > 17 ? `${name.slice(0, 16)}…` : name)},
			marks: [
				Plot.barX(rows, {x: "sales", y: "name", fill: COLOUR.offline, rx: 2, title: (s) => `${count(s.orders)} orders`}),
				Plot.text(rows, {x: "sales", y: "name", text: (s) => money(s.sales, currency), textAnchor: "start", dx: 6, fill: "#5b6573"}),
			],
		}),
	}];
}

// Points: outstanding at the end of each month.
export function points(data, width) {
	return [...new Set(data.points.map((p) => p.program))].map((program, _, programs) => {
		const rows = data.points.filter((p) => p.program === program);
		let issued = 0, spent = 0;
		const running = rows.map((r) => ({month: asMonth(r.month), issued: (issued += r.issued), spent: (spent += r.spent)}));
		const most = Math.max(issued, 1);
		const unit = most >= 5e6 ? [1e6, "million points"] : most >= 5e3 ? [1e3, "thousand points"] : [1, "points"];
		const last = running[running.length - 1];
		return {
			heading: programs.length > 1 ? `Program ${program} (${rows[0].currency})` : null,
			chart: Plot.plot({
				width: programs.length > 1 ? width / programs.length - 13 : width, height: 250, marginLeft: 44, marginRight: 86, marginTop: 22,
				x: {type: "utc", label: null, ticks: programs.length > 1 ? 4 : 6}, y: {grid: true, label: `Since the start, ${unit[1]}`, ticks: 5, transform: (v) => v / unit[0]},
				marks: [
					Plot.areaY(running, {x: "month", y1: "spent", y2: "issued", fill: COLOUR.both, fillOpacity: 0.16}),
					Plot.lineY(running, {x: "month", y: "issued", stroke: COLOUR.both, strokeWidth: 2}),
					Plot.lineY(running, {x: "month", y: "spent", stroke: COLOUR.offline, strokeWidth: 2}),
					Plot.text([last], {x: "month", y: "issued", text: () => "issued", textAnchor: "start", dx: 7, fill: COLOUR.both, fontWeight: 600}),
					Plot.text([last], {x: "month", y: (r) => (r.issued + r.spent) / 2, text: () => "outstanding", textAnchor: "start", dx: 7, fill: "#5b6573"}),
					Plot.text([last], {x: "month", y: "spent", text: () => "spent", textAnchor: "start", dx: 7, fill: "#b5651d", fontWeight: 600}),
					Plot.ruleY([0], {stroke: "#8b95a3"}),
				],
			}),
		};
	});
}

// Map: land and borders around the stores, a circle a store, its area the sales; the first stores beside it.
export function map(data, width) {
	if (width < 820) return [...places(data, width), ...topStores(data, width)];
	return [...places(data, Math.round(width * 0.69)), ...topStores(data, Math.round(width * 0.28))];
}

function places(data, width) {
	const placed = data.stores.filter((s) => s.lon !== null);
	const selling = placed.filter((s) => s.sales > 0);
	const others = placed.filter((s) => !(s.sales > 0) && s.kind !== "warehouse");
	const warehouses = placed.filter((s) => s.kind === "warehouse");
	const currency = selling[0]?.currency;
	const frame = {type: "MultiPoint", coordinates: placed.filter((s) => s.lon > -130 || placed.length < 100).map((s) => [s.lon, s.lat])};
	const height = Math.round(width * 0.7);
	return [{
		heading: null,
		chart: Plot.plot({
			width, height, margin: 0,
			projection: ({width: w, height: h}) => geoMercator().fitExtent([[26, 22], [w - 26, h - 22]], frame),
			r: {range: [0, selling.length > 100 ? 8 : 14], domain: [0, Math.max(1, ...selling.map((s) => s.sales))]},
			clip: true,
			marks: [
				Plot.frame({fill: "#eef3f8", stroke: null, rx: 6}),
				Plot.geo(data.outline.land, {fill: "#fbfaf7", stroke: "#b9c2cd", strokeWidth: 0.8, clip: "frame"}),
				Plot.geo(data.outline.borders, {stroke: "#d6dbe2", strokeWidth: 0.7, clip: "frame"}),
				Plot.dot(others, {x: "lon", y: "lat", r: 1.5, fill: "#98a3b1", fillOpacity: 0.75, clip: "frame"}),
				Plot.dot(selling, {
					x: "lon", y: "lat", r: "sales", fill: COLOUR.offline, fillOpacity: 0.55, stroke: "#a35c14", strokeWidth: 0.6, sort: {channel: "-r"}, clip: "frame",
					title: (s) => `${s.name}${s.city ? `, ${s.city}` : ""}\n${money(s.sales, currency)}, ${count(s.orders)} orders`,
				}),
				Plot.dot(warehouses, {x: "lon", y: "lat", symbol: "square", r: 5, fill: COLOUR.online, stroke: "white", title: "name", clip: "frame"}),
				Plot.text(cityLabels(selling), {x: "lon", y: "lat", text: "city", dy: -14, fontSize: 11.5, fontWeight: 600, fill: "#3a4350", stroke: "#fbfaf7", strokeWidth: 3, clip: "frame"}),
			],
		}),
	}];
}

// The cities that sell most, each named at its first store, as far as their names do not meet on the map.
function cityLabels(stores) {
	const cities = new Map();
	for (const s of [...stores].sort((a, b) => b.sales - a.sales)) {
		const c = cities.get(s.city) ?? {city: s.city, sales: 0, lon: s.lon, lat: s.lat};
		if (s.city) cities.set(s.city, {...c, sales: c.sales + s.sales});
	}
	const shown = [];
	for (const c of [...cities.values()].sort((a, b) => b.sales - a.sales)) {
		if (shown.length < 14 && shown.every((o) => Math.abs(o.lon - c.lon) > 4.2 || Math.abs(o.lat - c.lat) > 1.8)) shown.push(c);
	}
	return shown;
}

// Identity: how many source records a customer turned out to have.
export function sizes(data, width) {
	const rows = data.identity.sizes;
	return [{
		heading: null,
		chart: Plot.plot({
			width, height: 235, marginLeft: 52, marginBottom: 38, marginTop: 36,
			x: {type: "band", label: "Records of the source systems per customer", labelAnchor: "center", labelArrow: "none", tickSize: 0, padding: 0.25},
			y: {grid: true, label: "Customers", ticks: 5, tickFormat: (v) => short(v)},
			marks: [
				Plot.barY(rows, {x: "records", y: "customers", fill: (r) => (r.records === "1" ? COLOUR.quiet : COLOUR.both), rx: 2}),
				Plot.text(rows, {x: "records", y: "customers", text: (r) => short(r.customers), dy: -8, fontWeight: 600}),
				Plot.ruleY([0], {stroke: "#8b95a3"}),
			],
		}),
	}];
}
