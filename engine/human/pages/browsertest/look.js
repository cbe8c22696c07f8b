// texts returns the pieces of text that one sees.
function texts() {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), all = []
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement
    if (node.data.trim() && parent.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !parent.closest('script, style, option')) all.push(node)
  }
  return all
}

// short begins a text, to tell which one it is.
function short(text) { return text.trim().replace(/\s+/g, ' ').slice(0, 60) }

function sideways() {
  const wide = document.documentElement.clientWidth, found = []
  if (document.documentElement.scrollWidth > wide) found.push('the page: ' + document.documentElement.scrollWidth)
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect()
    if (box.width && (box.right > wide + .5 || box.left < -.5)) found.push(e.tagName + ' ' + short(e.textContent))
  }
  return found
}

// rgba reads a color as getComputedStyle writes it.
function rgba(color) {
  const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number)
  return {r, g, b, a}
}

// over lays one color over another.
function over(top, under) {
  const mix = c => top[c] * top.a + under[c] * (1 - top.a)
  return {r: mix('r'), g: mix('g'), b: mix('b'), a: 1}
}

// ground returns the color behind an element.
function ground(e) {
  const layers = []
  for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor))
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? {r: 18, g: 18, b: 18, a: 1} : {r: 255, g: 255, b: 255, a: 1}
  return layers.reduceRight((under, top) => over(top, under), canvas)
}

// light is the relative luminance of a color, by WCAG 2.2.
function light({r, g, b}) {
  const linear = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4
  return .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b)
}

function faint() {
  const found = []
  const judge = (behind, color, least, text) => {
    const [low, high] = [light(behind), light(over(rgba(color), behind))].sort((a, b) => a - b)
    const contrast = (high + .05) / (low + .05)
    if (contrast < least) found.push(short(text) + ': ' + contrast.toFixed(2))
  }
  for (const {parentElement: e, data} of texts()) judge(ground(e), getComputedStyle(e).color, 4.5, data)
  for (const e of document.querySelectorAll('input, textarea, select, button')) {
    if (!e.checkVisibility()) continue
    const style = getComputedStyle(e)
    judge(ground(e), style.color, 4.5, 'in ' + e.name)
    if (e.type !== 'radio') judge(ground(e.parentElement), style.borderTopColor, 3, 'around ' + e.name)
  }
  return found
}

// leftward finds what is written from right to left, with the signs that go with it.
const leftward = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff][^A-Za-z]*/g

function reordered() {
  const found = new Set(), range = document.createRange()
  for (const line of linesOf(texts())) {
    let x = -Infinity
    for (const {node, at} of line) {
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const box = range.getBoundingClientRect()
      if (!box.width) continue
      if (box.left < x - .5) found.add(short(line.map(({node, at}) => node.data[at]).join('')))
      x = box.left
    }
  }
  return [...found]
}

// linesOf returns the letters of texts by the lines in which one sees them, in the
// order in which they stand in the page.
function linesOf(nodes) {
  const lines = new Map(), blocks = new Map(), range = document.createRange()
  for (const node of nodes) {
    const skip = new Set(), block = node.parentElement.closest('p, dt, dd, h1, h2, label, legend, button, pre, li')
    if (!blocks.has(block)) blocks.set(block, blocks.size)
    for (const run of node.data.matchAll(leftward)) for (let i = 0; i < run[0].length; i++) skip.add(run.index + i)
    for (let at = 0; at < node.data.length; at++) {
      if (skip.has(at) || !node.data[at].trim()) continue
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const key = Math.round(range.getBoundingClientRect().bottom / 6) + ' of ' + blocks.get(block)
      if (!lines.has(key)) lines.set(key, [])
      lines.get(key).push({node, at})
    }
  }
  return lines.values()
}
