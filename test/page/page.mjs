// node page.mjs PAGE.html SCREENSHOT.png: every figure that has a chart shows
// marks, nothing is written to the console as an error, nothing asks the network.
import {pathToFileURL} from "node:url";
import {chromium} from "playwright-core";

const [page_path, screenshot] = process.argv.slice(2);
const FIGURES = ["months", "matrix", "segments", "map", "categories", "points", "identity", "accuracy"];
const failures = [];
const check = (ok, what) => {
	console.log(`${ok ? "ok" : "FAILED"}: ${what}`);
	if (!ok) failures.push(what);
};

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
	args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
	const page = await browser.newPage({viewport: {width: 1280, height: 900}, offline: true});
	const errors = [], requests = [];
	page.on("console", (m) => { if (["error", "warning"].includes(m.type())) errors.push(m.text()); });
	page.on("pageerror", (e) => errors.push(String(e)));
	page.on("request", (r) => { if (!/^(file|data|blob):/.test(r.url())) requests.push(r.url()); });
	const url = pathToFileURL(page_path).href;
	await page.goto(url);
	await page.waitForFunction(() => document.documentElement.dataset.ready === "yes", null, {timeout: 20000}).catch(() => check(false, "the page was drawn to its end"));

	const figures = await page.$$eval("figure.figure", (all) => all.map((f) => ({
		id: f.id, chart: f.dataset.chart === "yes", heading: f.querySelector("h2").textContent,
		panels: [...f.querySelectorAll(".chart svg")].map((s) => {
			const box = s.getBoundingClientRect();
			return {marks: s.querySelectorAll("rect, circle, path, text").length, data: s.querySelectorAll("g[aria-label=bar] *, g[aria-label=rect] *, g[aria-label=cell] *, g[aria-label=dot] *, g[aria-label=line] *, g[aria-label=area] *").length, width: box.width, height: box.height};
		}),
		holes: [...f.querySelectorAll("svg *")].filter((e) => [...e.attributes].some((a) => /NaN|undefined|Infinity/.test(a.value))).length,
		rows: f.querySelectorAll("tbody tr").length,
		text: f.textContent,
	})));
	for (const id of FIGURES) check(figures.some((f) => f.id === id), `figure ${id} is there`);
	for (const f of figures) {
		if (f.chart) {
			check(f.panels.length > 0 && f.panels.every((p) => p.data > 0 && p.width > 100 && p.height > 50), `figure ${f.id}: ${f.panels.map((p) => `${p.data} marks of data, ${p.marks} in all`).join("; ") || "no chart"}`);
		} else check(f.rows > 0, `figure ${f.id}: ${f.rows} rows`);
		check(f.holes === 0, `figure ${f.id}: ${f.holes} marks without a place`);
		check(!/NaN|undefined|Infinity|\bnull\b/.test(f.text), `figure ${f.id}: no hole in the words: ${f.heading}`);
	}
	const bands = await page.$eval("#segments svg", (s) => ({
		labels: s.querySelectorAll("g[aria-label='y-axis tick label'] text").length,
		filled: new Set([...s.querySelectorAll("g[aria-label=bar] rect")].filter((r) => Number(r.getAttribute("width")) > 0).map((r) => r.getAttribute("y"))).size,
	}));
	check(bands.labels > 0 && bands.filled === bands.labels, `figure segments: ${bands.filled} of ${bands.labels} rows have a bar`);
	const tiles = await page.$$eval(".tile .value", (all) => all.map((t) => t.textContent));
	check(tiles.length >= 4 && tiles.every((t) => /\d/.test(t) && !/NaN|undefined/.test(t)), `headline figures: ${tiles.join(" | ")}`);
	const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	check(overflow <= 0, `nothing is wider than the window (${overflow} px)`);
	check(errors.length === 0, `no error on the console${errors.length ? `: ${errors.join(" | ")}` : ""}`);
	check(requests.length === 0, `no network request${requests.length ? `: ${requests.join(" ")}` : ""}`);
	if (screenshot) await page.screenshot({path: screenshot, fullPage: true});
} finally {
	await browser.close();
}
console.log(failures.length ? `${failures.length} failed` : "all passed");
process.exit(failures.length ? 1 : 0);
