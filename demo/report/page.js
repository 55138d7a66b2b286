// Puts the page together: words from the figures, figures from the data.
import {categories, channelColours, COLOUR, funnel, map, matrix, months, points, segments, sizes} from "./charts.js";
import {count, money, month, percent, plural, short, sum} from "./format.js";

const data = JSON.parse(document.getElementById("data").textContent);
const element = (tag, attributes = {}, ...children) => {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	node.append(...children.filter((c) => c !== null && c !== undefined));
	return node;
};
const h = data.headline;
const single = h.currencies.length === 1 ? h.currencies[0].currency : null;
const segment = Object.fromEntries(data.segments.map((s) => [s.segment, s]));
const known = sum(data.segments, (s) => s.customers);

// ---- words ----------------------------------------------------------------

function title() {
	const both = segment.both.customers / known;
	if (single && both > 0.005) {
		const share = segment.both[`sales_${single}`] / sum(data.segments, (s) => s[`sales_${single}`]);
		return `${percent(both)} of customers buy both online and in stores, and they bring ${percent(share)} of sales`;
	}
	return `${plural(known, "customer")}, ${plural(h.orders, "order")}, one book for the web shop and ${count(h.stores)} stores`;
}

function tile(label, value, note) {
	return element("div", {class: "tile"}, element("div", {class: "label"}, label), element("div", {class: "value"}, value), element("div", {class: "note"}, note ?? ""));
}

document.getElementById("kicker").textContent = `${data.title} · ${data.period[0]} to ${data.period[1]}`;
document.getElementById("title").textContent = title();
document.getElementById("lead").textContent = data.notes.join(" ");
document.title = `O2O report: ${data.title}`;

const tiles = [
	...h.currencies.map((c) => tile(h.currencies.length > 1 ? `Sales in ${c.currency}` : "Sales", money(c.sales, c.currency), `${plural(c.orders, "order")}, ${money(c.sales / c.orders, c.currency)} each; ${money(c.returned, c.currency)} given back`)),
	tile("Customers", count(h.customers), `from ${count(h.records)} records of the source systems`),
	tile("Bought online and in stores", percent(segment.both.customers / known), `${plural(segment.both.customers, "customer")} of ${count(known)} who ordered`),
	...data.liability.slice(0, single ? 1 : 2).map((p) => tile(single ? "Points outstanding" : `Points outstanding, ${p.program}`, short(p.outstanding), `cost ${money(p.liability, p.currency)} as expected, reserve ${money(p.reserve, p.currency)}${p.ratio ? ` (${p.ratio.toFixed(2)} : 1)` : ""}`)),
];
document.getElementById("headline").append(...tiles);

// ---- figures --------------------------------------------------------------

const figures = document.getElementById("figures");

function figure({id, size = "", heading, sub, legend, draw, caption, extra}) {
	const box = element("figure", {class: `figure ${size}`, id, "data-chart": draw ? "yes" : "no"}, element("h2", {}, heading), element("p", {class: "sub"}, sub));
	figures.append(box);
	if (legend) box.append(element("div", {class: "legend"}, ...legend.map(([name, colour]) => element("span", {}, element("i", {style: `background:${colour}`}), name))));
	if (draw) {
		const width = Math.max(280, box.clientWidth - 46);
		const panels = draw(data, width);
		box.append(element("div", {class: panels.length > 1 ? `chart pair ${id}` : "chart"}, ...panels.map((p) => element("div", {}, p.heading ? element("h3", {}, p.heading) : null, p.chart))));
	}
	if (extra) box.append(extra);
	if (caption) box.append(element("figcaption", {}, caption));
}

function table(head, rows) {
	return element("table", {}, element("thead", {}, element("tr", {}, ...head.map((x) => element("th", {}, x)))),
		element("tbody", {}, ...rows.map((r) => element("tr", {}, ...r.map((x) => element("td", {}, x))))));
}

const channels = channelColours(data);

function monthsHeading() {
	if (!single) return "Each channel in its own currency: nothing is added up across them";
	const online = (rows) => sum(rows.filter((m) => m.kind === "online"), (m) => m.sales) / sum(rows, (m) => m.sales);
	const all = [...new Set(data.months.map((m) => m.month))];
	const quarter = (list) => online(data.months.filter((m) => list.includes(m.month)));
	const best = all.map((m) => [m, sum(data.months.filter((x) => x.month === m), (x) => x.sales)]).sort((a, b) => b[1] - a[1])[0];
	return `Online went from ${percent(quarter(all.slice(0, 3)))} to ${percent(quarter(all.slice(-3)))} of sales; the best month was ${month(new Date(`${best[0]}T00:00:00Z`))}`;
}
figure({id: "months", size: "wide", heading: monthsHeading(), sub: "Sales by month and by the channel that sold, before returns",
	legend: channels.map((c) => [c.name, c.colour]), draw: months});

const handed = data.matrix.filter((m) => m.sold_kind === "online" && m.fulfilled_kind === "offline");
const onlineSales = sum(data.matrix.filter((m) => m.sold_kind === "online"), (m) => m.sales);
figure({id: "matrix", size: "", heading: handed.length ? `${percent(sum(handed, (m) => m.sales) / onlineSales)} of what is sold online is picked up in a store` : "What a channel sells it also hands over",
	sub: "Sales by the channel that sold (rows) and the one that handed the goods over (columns)",
	legend: [["online", COLOUR.online], ["in stores", COLOUR.offline], ["across", COLOUR.both]], draw: matrix,
	caption: "Every order stands in exactly one cell."});

function segmentsHeading() {
	if (!single || !segment.both.customers) return "Nobody is known to buy both online and in stores";
	const key = `sales_${single}`;
	const per = (s) => s[key] / s.customers;
	const rest = [segment["online only"], segment["store only"]];
	const other = sum(rest, (s) => s[key]) / sum(rest, (s) => s.customers);
	return `A customer who uses both spends ${money(per(segment.both), single)} a year, ${(per(segment.both) / other).toFixed(1)} times as much as the others`;
}
figure({id: "segments", heading: segmentsHeading(), sub: "Customers by where they bought, and what each group holds",
	legend: [["online only", COLOUR.online], ["both", COLOUR.both], ["stores only", COLOUR.offline]], draw: segments,
	caption: single ? `Baskets of nobody known (${count(h.anonymous_orders)}) are left out.` : "The two sources share no customers, and no link was invented."});

figure({id: "map", size: "wide", heading: mapHeading(), sub: "Stores; the area of a circle is what the store sold",
	legend: [["store with sales", COLOUR.offline], ...(data.stores.some((s) => s.kind === "warehouse") ? [["warehouse", COLOUR.online]] : []), ...(data.stores.some((s) => s.kind !== "warehouse" && !s.sales) ? [["store without sales in this data", "#98a3b1"]] : [])],
	draw: map, caption: data.map_note});

function mapHeading() {
	const stores = data.stores.filter((s) => s.sales > 0).sort((a, b) => b.sales - a.sales);
	const top = stores.slice(0, Math.ceil(stores.length / 10));
	return `The top tenth of the stores make ${percent(sum(top, (s) => s.sales) / sum(stores, (s) => s.sales))} of store sales; the first is ${stores[0].name}${stores[0].city && !stores[0].name.startsWith(stores[0].city) ? ` in ${stores[0].city}` : ""}`;
}

if (data.categories.length) {
	const size = data.funnel.length ? "big" : "wide";
	const rows = data.categories.filter((c) => c.currency === data.categories[0].currency);
	const share = [...new Set(rows.map((r) => r.category))].map((name) => {
		const of = (kind) => sum(rows.filter((r) => r.category === name && (!kind || r.kind === kind)), (r) => r.sales);
		return {name, sales: of(), online: of("online") / of()};
	}).sort((a, b) => b.online - a.online);
	const biggest = [...share].sort((a, b) => b.sales - a.sales)[0];
	figure({id: "categories", size, heading: single ? `${share[0].name} is bought online most (${percent(share[0].online)}), ${share[share.length - 1].name.toLowerCase()} least (${percent(share[share.length - 1].online)})` : `${biggest.name} makes ${percent(biggest.sales / sum(share, (c) => c.sales))} of what the stores sell`,
		sub: single ? "Sales by category, and the share sold online" : "Sales by department; the web shop's file names none", legend: single ? [["in stores", COLOUR.offline], ["online", COLOUR.online]] : null, draw: categories});
}

if (data.funnel.length) {
	const at = Object.fromEntries(data.funnel.map((f) => [f.stage, f]));
	figure({id: "funnel", size: "small", heading: `One buyer in ${Math.round(at.deal.whoever / at.share.whoever)} tells others about it`,
		sub: "Customers and visitors who came to each stage through all those before it", draw: funnel,
		caption: `Whatever came before: ${data.funnel.map((f) => `${f.stage} ${short(f.whoever)}`).join(", ")}.`});
}

const pointsWords = data.liability.map((p) => `${p.program}: ${short(p.issued)} issued, ${percent(p.spent / p.issued)} spent; the ${short(p.outstanding)} outstanding are expected to cost ${money(p.liability, p.currency)}, against a reserve of ${money(p.reserve, p.currency)}.`);
const first = data.liability[0];
figure({id: "points", size: "big", heading: single && first ? `${percent(first.spent / first.issued)} of the points issued came back; a reserve backs the rest at ${first.ratio ? first.ratio.toFixed(2) : "–"} : 1` : "Points issued, spent and outstanding",
	sub: "Points since the start, at the end of each month", draw: points, caption: pointsWords.join(" ")});

figure({id: "identity", size: "small", heading: `${count(h.records)} records turned out to be ${count(h.customers)} customers`,
	sub: "How many records of the source systems a customer has", draw: sizes});

const accuracy = data.identity.accuracy;
figure({id: "accuracy", size: "wide", heading: accuracy.length ? `Where two records were joined, they were one person in ${percent3(accuracy[0].precision)} of cases; ${percent3(accuracy[0].recall)} of what belongs together was joined` : "No truth is known for these people",
	sub: `Pairs of records joined by equal identifiers alone, against who is who in truth${accuracy.length ? ` (figures in the title: ${accuracy[0].name})` : ""}`,
	extra: table(["", "records", "people", "customers", "precision", "recall"],
		accuracy.map((a) => [a.name, count(a.records), count(a.people), count(a.customers), percent3(a.precision), percent3(a.recall)])),
	caption: "Precision: of the pairs joined, the share that is one person. Recall: of the pairs that are one person, the share that was joined. Names, birthdays and addresses join nothing here; typing errors and missing fields cost recall, family phones and cards precision."});

function percent3(x) {
	return x === null ? "–" : `${(100 * x).toFixed(1)}%`;
}

// ---- foot -----------------------------------------------------------------

const broken = data.verify.filter((v) => v.rows > 0);
const checks = element("p", {}, "Checks: ", ...data.verify.flatMap((v, i) => [i ? ", " : "", element("span", {class: v.rows ? "bad" : "good"}, `${v.name} ${v.rows ? plural(v.rows, "row") : "no row"}`)]), broken.length ? "." : ": nothing is out of step.");
document.getElementById("footer").append(checks, element("p", {}, "Made from the report views of the database alone; this file needs no network."));
document.documentElement.dataset.ready = "yes";
