/** node audit.js <address> <port of a browser's tools>: scores of that page in that browser, as JSON. */
import lighthouse, { desktopConfig } from 'lighthouse';

const [address, port] = process.argv.slice(2);
const categories = ['performance', 'accessibility'];
const flags = { port: Number(port), output: 'json', logLevel: 'error', onlyCategories: categories, disableStorageReset: true };
const { lhr } = await lighthouse(address, flags, desktopConfig);

const score = (name) => Math.round(lhr.categories[name].score * 100);
if (categories.some((name) => lhr.categories[name].score === null))
  throw new Error(`The page was too slow for a score: ${lhr.runWarnings.join(' ')}`);
const wanting = lhr.categories.accessibility.auditRefs
  .map(({ id }) => lhr.audits[id])
  .filter((audit) => audit.score !== null && audit.score < 1)
  .map((audit) => audit.id);
const figures = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift']
  .map((id) => `${id} ${lhr.audits[id].displayValue}`.replaceAll('\u00a0', ' '));
const note = [...figures, ...(wanting.length > 0 ? [`wanting: ${wanting.join(' ')}`] : [])].join(', ');
console.log(JSON.stringify({ performance: score('performance'), accessibility: score('accessibility'), note }));
