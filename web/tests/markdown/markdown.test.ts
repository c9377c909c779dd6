// @vitest-environment jsdom
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bare, isEmojiOnly, plain, render } from '../../src/markdown/markdown';

const PEOPLE = new Map<string, 'me' | 'other'>([
  ['ada.lovelace', 'me'],
  ['小明', 'other'],
]);
const DRAWING = {
  mention: (name: string) => PEOPLE.get(name.toLowerCase()) ?? null,
  channel: (name: string) => (name === 'general' ? '/chats/7' : null),
  task: (isDone: boolean) => (isDone ? 'done' : 'open'),
};

function html(text: string): string {
  const box = document.createElement('div');
  box.append(render(text, DRAWING));
  return box.innerHTML;
}

describe('markdown', () => {
  it.each([
    ['**b** *i* ~~s~~ `c`', '<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>'],
    ['__b__ _i_ ***both***', '<p><strong>b</strong> <em>i</em> <em><strong>both</strong></em></p>'],
    ['**a *b* c**', '<p><strong>a <em>b</em> c</strong></p>'],
    ['*a **b***', '<p><em>a <strong>b</strong></em></p>'],
    ['snake_case_name 2*3*4', '<p>snake_case_name 2<em>3</em>4</p>'],
    ['5 * 3 * 2', '<p>5 * 3 * 2</p>'],
    ['**这很**重要，**“引用”**之后', '<p><strong>这很</strong>重要，<strong>“引用”</strong>之后</p>'],
    ['\\*not\\* \\a', '<p>*not* \\a</p>'],
    ['``a ` b`` `', '<p><code>a ` b</code> `</p>'],
    ['one\ntwo', '<p>one<br>two</p>'],
    ['one\n\ntwo', '<p>one</p><p>two</p>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['1. a\n2. b\n   - c', '<ol><li>a</li><li>b<ul><li>c</li></ul></li></ol>'],
    ['3) a', '<ol start="3"><li>a</li></ol>'],
    ['text\n- a', '<p>text</p><ul><li>a</li></ul>'],
    ['- a\n  - b\n- c', '<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>'],
    ['> a\n> > b', '<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>'],
    ['# One #\n#no', '<p class="heading h1">One</p><p>#no</p>'],
    ['---', '<hr>'],
    ['5 < 6 & 7 > 6', '<p>5 &lt; 6 &amp; 7 &gt; 6</p>'],
    ['```js\na\n\n<b>\n```\nafter', '<pre><code data-language="js">a\n\n&lt;b&gt;</code></pre><p>after</p>'],
    ['~~~\nx', '<pre><code>x</code></pre>'],
    [
      '| a | b |\n|:-|-:|\n| 1 | `2\\|3` |\n| 4 |\nend',
      '<div class="table"><table><thead><tr><th class="start">a</th><th class="end">b</th></tr></thead><tbody>' +
        '<tr><td class="start">1</td><td class="end"><code>2|3</code></td></tr>' +
        '<tr><td class="start">4</td><td class="end"></td></tr></tbody></table></div><p>end</p>',
    ],
    ['a | b\nno table', '<p>a | b<br>no table</p>'],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it('draws tasks as boxes that cannot be ticked', () => {
    const list = html('- [x] a\n- [ ] b\n- [y] c');
    expect(list).toContain('<li class="task"><input type="checkbox" disabled="" aria-label="done">a</li>');
    expect(list).toContain('<input type="checkbox" disabled="" aria-label="open">b');
    expect(list).toContain('<li>[y] c</li>');
  });

  it('opens links outside, without a way back', () => {
    const link = 'target="_blank" rel="noopener noreferrer nofollow"';
    expect(html('https://example.com/a?b=1')).toContain(link);
    expect(html('[x](https://example.com)')).toContain(link);
    expect(html('[x](mailto:a@example.com)')).toContain('href="mailto:a@example.com"');
  });

  it.each([
    ['see https://example.com/a.', 'https://example.com/a'],
    ['(https://example.com/a_(b))', 'https://example.com/a_(b)'],
    ['看https://example.com/路径，好', 'https://example.com/%E8%B7%AF%E5%BE%84'],
    ['www.example.com!', 'https://www.example.com/'],
    ['<https://example.com/x>', 'https://example.com/x'],
    ['[**a** b](https://example.com/a_(b) "title")', 'https://example.com/a_(b)'],
    ['[x](<https://example.com/a>)', 'https://example.com/a'],
    ['*https://example.com/a*', 'https://example.com/a'],
    ['https://example.com/a_b_c', 'https://example.com/a_b_c'],
  ])('finds the address in %j', (text, expected) => {
    const links = render(text, DRAWING).querySelectorAll('a');
    expect([...links].map((link) => link.href)).toEqual([expected]);
  });

  it.each(['https://', 'xhttps://example.com', 'www.', '[x](example.com)', '[x] (https:)', 'http:example.com'])(
    'finds no address in %j',
    (text) => expect(render(text, DRAWING).querySelector('a')).toBeNull(),
  );

  it('marks the mentions of people that the message mentions, oneself in particular', () => {
    expect(html('hi @Ada.Lovelace, @小明! @nobody')).toBe(
      '<p>hi <span class="mention me">@Ada.Lovelace</span>, <span class="mention">@小明</span>! @nobody</p>',
    );
    expect(html('`@小明` a@小明 [@小明](https://example.com)')).not.toContain('mention');
  });
});

describe('a channel', () => {
  it('that is known is a link that stays in the page', () => {
    expect(html('see #general, #other')).toBe('<p>see <a href="/chats/7">#general</a>, #other</p>');
    expect(html('a#general `#general` https://example.com/#general')).not.toContain('/chats/7');
  });

  it('is led to in the page by its address, too; but nothing else of this server is', () => {
    expect(html(`[x](${location.origin}/chats/7)`)).not.toContain('target');
    expect(html(`[x](${location.origin}/api/files/7)`)).toContain('target="_blank"');
    expect(html('[x](https://example.com/chats/7)')).toContain('target="_blank"');
  });
});

describe('nothing that runs, loads or covers', () => {
  const attacks = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<style>*{display:none}</style>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt&colon;alert(1))',
    '[x](java\nscript:alert(1))',
    '[x](<javascript:alert(1)>)',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](vbscript:x)',
    '[x](blob:https://example.com/1)',
    '[x](//evil.example)',
    '[x](https:\\\\evil.example)',
    '[x](https:/\\evil.example)',
    '![x](https://evil.example/pixel.png)',
    '<javascript:alert(1)>',
    '<https://example.com/" onclick="alert(1)>',
    'https://example.com/"onmouseover="alert(1)',
    '[a]: javascript:alert(1)\n\n[a]',
    '`<img src=x onerror=alert(1)>`',
    '```"><script>alert(1)</script>\ncode\n```',
    '```js" onclick="alert(1)\ncode\n```',
    '[x](https://example.com "onmouseover=alert(1)")',
    '[<img src=x onerror=alert(1)>](https://example.com)',
    '&lt;img src=x onerror=alert(1)&gt;',
    '@<img/src=x>',
    '<a href="https://example.com" onclick="alert(1)" style="position:fixed">x</a>',
    '<form action="/x"><input name=y><button>go',
    '[\u0000x](\u0001javascript:alert(1))',
    '| <img src=x> | b |\n|-|-|\n| <script>x</script> | [x](javascript:1) |',
    '- [x] <img src=x onerror=alert(1)>',
    '> # <svg onload=alert(1)>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<template><script>alert(1)</script></template>',
    '<!--><img src=x onerror=alert(1)>-->',
    '**<b onclick=alert(1)>**',
  ];
  const TAGS = 'P A CODE PRE BR SPAN STRONG EM S UL OL LI INPUT BLOCKQUOTE HR DIV TABLE THEAD TBODY TR TH TD'.split(
    ' ',
  );
  const ATTRIBUTES = 'href target rel class start type disabled aria-label data-language'.split(' ');

  function check(text: string): void {
    for (const element of render(text, DRAWING).querySelectorAll('*')) {
      expect(TAGS).toContain(element.tagName);
      expect(element.getAttributeNames().filter((name) => !ATTRIBUTES.includes(name))).toEqual([]);
      expect(element.getAttribute('href') ?? 'https://').toMatch(/^(https?:\/\/|mailto:)/);
      expect(element.getAttribute('data-language') ?? 'js').toMatch(/^[\w+#.-]+$/);
    }
  }

  it.each(attacks)('%j', (text) => check(text));

  it('whatever is put together from pieces of Markdown and HTML, and no text comes twice', () => {
    const piece = fc.constantFrom(
      ...['*', '**', '_', '~~', '`', '```', '[', ']', '(', ')', '](', '<', '>', '\n', '\n\n', '- ', '1. ', '> ', '| '],
      ...['|-|-|', '# ', '\\', '@ada.lovelace', 'https://example.com', 'javascript:', '<script>', 'a', '汉', ' ', '😀'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        check(text);
        const letters = (from: string): number => [...from].filter((char) => char === '汉').length;
        expect(letters(render(text, DRAWING).textContent)).toBeLessThanOrEqual(letters(text));
      }),
      { numRuns: 500 },
    );
  });
});

describe('an excerpt', () => {
  it.each([
    ['Welcome to **launch**! The\n\nplan', 'Welcome to launch! The\nplan'],
    ['这**很**重要，~~“旧”~~新', '这很重要，“旧”新'],
    ['see **', 'see '],
    ['2**3 and a`b', '2**3 and a`b'],
  ])('%j is %j', (text, expected) => {
    expect(bare(text)).toBe(expected);
  });
});

describe('a text made to stall', () => {
  const MOST = 16_384;
  const fill = (piece: string): string => piece.repeat(Math.ceil(MOST / piece.length)).slice(0, MOST);
  const pieces = [
    ...['*', '_', '~~', '`', '[', ']', '(', '<', '>', '> ', '- ', '  - ', '# ', '|', '|-', '\\', '@', '@a', '\n'],
    ...[
      '*a ',
      '**a ',
      '*a_b ',
      '[a](',
      '[](<',
      '](',
      '`a``b',
      'http://',
      'www.',
      'https://a',
      '![',
      '\n>',
      '\n-',
      'a*',
    ],
    ...['1. ', '\n1. a', ' ', '\t', '~~~', '~~~\n', '```x\n', 'a|b\n-|-\n', '*_', '_a_b', '**_a', '(((', 'h', '\u200d'],
  ];

  it.each(pieces)('%j over and over is drawn, and not too deep', (piece) => {
    for (const text of [fill(piece), `${fill(piece)}x`, `\`${fill(piece)}`]) {
      const fragment = render(text, DRAWING);
      expect(depthOf(fragment)).toBeLessThan(80);
      plain(text);
    }
  });
});

describe('a table', () => {
  it('of rows that are empty does not become a page of cells', () => {
    const text = `${'|a'.repeat(50)}\n${'|-'.repeat(50)}\n${'|\n'.repeat(8000)}`;
    const fragment = render(text, DRAWING);
    expect(fragment.querySelectorAll('tr').length).toBe(8001);
    expect(fragment.querySelectorAll('td, th').length).toBe(50);
  });
});

function depthOf(root: Node): number {
  let deepest = 0;
  const walker = document.createTreeWalker(root);
  while (walker.nextNode()) {
    let depth = 0;
    for (let node: Node | null = walker.currentNode; node && node !== root; node = node.parentNode) depth += 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

describe('emoji', () => {
  it.each(['😀', '👍🏽 🎉', '👨‍👩‍👧‍👦', '🇨🇳🇩🇪', '❤️', '1️⃣', ' 😀 '])('%j alone is large', (text) =>
    expect(isEmojiOnly(text)).toBe(true),
  );
  it.each(['', ' ', '1', '12', '#', 'a😀', '😀😀😀😀😀😀😀', '©', '5*', '😀.'])('%j is not', (text) =>
    expect(isEmojiOnly(text)).toBe(false),
  );
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
