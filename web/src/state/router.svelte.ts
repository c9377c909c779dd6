/** Where the page is. Links are ordinary links; the router takes those that stay in the page. */
import { placeOf, type Place } from './routes';

export class Router {
  place = $state.raw<Place>(placeOf(location));

  constructor() {
    addEventListener('popstate', () => this.read());
    document.addEventListener('click', (event) => this.follow(event));
  }

  go(path: string, { replace = false } = {}): void {
    if (path === location.pathname + location.search) return;
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.read();
  }

  private read(): void {
    this.place = placeOf(location);
  }

  /** A plain click on a link of this origin that is a place of the page. */
  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link?.href || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (placeOf(link).at === 'nowhere') return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}
