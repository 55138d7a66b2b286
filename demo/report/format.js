// Numbers and words as the page writes them. No chart lives here.
import {format} from "d3-format";
import {utcFormat} from "d3-time-format";

export const count = format(",");
export const percent = (x) => (x === null || x === undefined || Number.isNaN(x) ? "–" : format(x > 0 && x < 0.1 ? ".1%" : ".0%")(x));
const SIGN = {CNY: "¥", USD: "$", GBP: "£", EUR: "€", JPY: "¥"};

// 16,919,387 → ¥16.9 m
export function money(amount, currency) {
	const sign = SIGN[currency] ?? `${currency} `;
	const a = Math.abs(amount);
	if (a >= 1e6) return `${sign}${format(a >= 1e8 ? ",.0f" : ",.1f")(amount / 1e6)} m`;
	if (a >= 1e4) return `${sign}${format(",.0f")(amount / 1e3)} k`;
	return `${sign}${format(a < 100 ? ",.2f" : ",.0f")(amount)}`;
}

export function short(n) {
	const a = Math.abs(n);
	if (a >= 1e6) return `${format(a >= 1e8 ? ",.0f" : ",.1f")(n / 1e6)} m`;
	if (a >= 1e4) return `${format(",.0f")(n / 1e3)} k`;
	return count(Math.round(n));
}

export const signOf = (currency) => SIGN[currency] ?? currency;
export const month = utcFormat("%B %Y");
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const sum = (rows, of) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
