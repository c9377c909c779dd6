/** Opens the page: words first, then everything. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/markdown.css';
import { mount } from 'svelte';
import { App } from './state/app.svelte';
import Root from './views/Root.svelte';

const app = new App();
/** A browser offers to install the page before anything that could show it is loaded. */
let offer: Event | null = null;
addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  offer = event;
  app.pwa?.offer(event);
});
const session = app.open();
const target = document.getElementById('app');
if (!target) throw new Error('The page has no #app.');
await app.preferences.load();
mount(Root, { target, props: { app } });
await session;
const { Pwa } = await import('./state/pwa.svelte');
app.pwa = new Pwa(app);
if (offer) app.pwa.offer(offer);
