// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';
import { plain, render } from '../../src/components/markdown';

function html(text: string, mentions = false): string {
  const box = document.createElement('div');
  box.append(render(text, mentions));
  return box.innerHTML.trim();
}

describe('markdown', () => {
  it.each([
    ['**b** *i* ~~s~~ `c`', '<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>'],
    ['one\ntwo', '<p>one<br>\ntwo</p>'],
    ['- a\n- b', '<ul>\n<li>a</li>\n<li>b</li>\n</ul>'],
    ['5 < 6 & 7 > 6', '<p>5 &lt; 6 &amp; 7 &gt; 6</p>'],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it('opens links outside, without a way back', () => {
    const link = 'target="_blank" rel="noopener noreferrer nofollow"';
    expect(html('https://example.com/a?b=1')).toContain(link);
    expect(html('[x](https://example.com)')).toContain(link);
    expect(html('[x](mailto:a@example.com)')).toContain('href="mailto:a@example.com"');
  });

  it('marks mentions, but not in code, links or addresses', () => {
    expect(html('hi @ada.lovelace, @小明!', true)).toBe(
      '<p>hi <span class="mention">@ada.lovelace</span>, <span class="mention">@小明</span>!</p>',
    );
    expect(html('`@ada` a@b.example', true)).not.toContain('mention');
    expect(html('@ada', false)).not.toContain('mention');
  });

  const attacks = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<style>*{display:none}</style>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt&colon;alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](vbscript:x)',
    '[x](//evil.example)',
    '![x](https://evil.example/pixel.png)',
    '<javascript:alert(1)>',
    '[a]: javascript:alert(1)\n\n[a]',
    '`<img src=x onerror=alert(1)>`',
    '```"><script>alert(1)</script>\ncode\n```',
    '[x](https://example.com "onmouseover=alert(1)")',
    '[<img src=x onerror=alert(1)>](https://example.com)',
    '&lt;img src=x onerror=alert(1)&gt;',
    '@<img/src=x>',
    '<a href="https://example.com" onclick="alert(1)" style="position:fixed">x</a>',
    '<form action="/x"><input name=y><button>go',
    '[\u0000x](\u0001javascript:alert(1))',
  ];

  it.each(attacks)('leaves nothing that runs, loads or covers: %j', (text) => {
    const fragment = render(text, true);
    for (const element of fragment.querySelectorAll('*')) {
      expect(['P', 'A', 'CODE', 'PRE', 'BR', 'SPAN']).toContain(element.tagName);
      const names = element.getAttributeNames();
      expect(names.filter((name) => !['href', 'target', 'rel', 'class'].includes(name))).toEqual([]);
      expect(element.getAttribute('href') ?? 'https://').toMatch(/^(https?:|mailto:)/);
    }
  });
});

describe('a preview', () => {
  it.each([
    ['**bold** and `code`', 'bold and code'],
    ['# Title\n\n> quote', 'Title quote'],
    ['[link](https://example.com)', 'link'],
    ['```js\nx = 1\n```', 'x = 1'],
    ['5 * 3 and snake_case', '5 * 3 and snake_case'],
  ])('%j is %j', (text, expected) => {
    expect(plain(text)).toBe(expected);
  });
});
