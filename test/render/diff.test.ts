import { describe, expect, test } from '@jest/globals'
import { applyPatch, parsePatch } from 'diff'
import { readDocuments } from '../../src/api/documents.ts'
import { diffOf } from '../../src/render/diff.ts'
import { sourcesOf } from '../../src/render/source.ts'
import { httpRoute, ingress, objects, renderText } from './rendering.ts'

const ESCAPE = '\u001b'

describe('the diff', () => {
  test('is that of each object that changes, with the lines of the file, and of each new one as a whole', async () => {
    const text = `# head\n---\n${ingress('open', { label: '"false"' })}---\n${httpRoute('one')}`
    const { code, out, err } = await renderText(text, { diff: true })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const parts = out.split(/^(?=--- )/m)
    const ofRoute = parts.filter(part => part.startsWith('--- <stdin>'))
    expect(ofRoute).toHaveLength(1)
    const line = text.split('\n').indexOf('  name: one') + 1
    expect(ofRoute[0]).toMatch(
      new RegExp(
        `^--- <stdin>\\tHTTPRoute apps/one\\n\\+\\+\\+ <stdin>\\tHTTPRoute apps/one\\n@@ -${line},6 \\+${line},8 @@\\n   name: one\\n`,
      ),
    )
    expect(ofRoute[0]?.match(/^-[^-]/m)).toBeNull()
    const made = parts.filter(part => part.startsWith('--- /dev/null\n+++ '))
    expect(made.length).toBe(parts.length - 1)
    expect(made[0]).toMatch(/^--- \/dev\/null\n\+\+\+ ClientTrafficPolicy edge\/\S+\n@@ -0,0 \+1,\d+ @@\n(\+.*\n)+$/)
  })

  test('of a refused route is nothing, and of a taken back one what is taken out', async () => {
    expect(await renderText(ingress('one', { label: 'nobody' }), { diff: true })).toMatchObject({ code: 1, out: '' })
    const [route = ''] = (await renderText(ingress('one'))).out.split('---\n')
    const { out } = await renderText(route.replace('"true"', '"false"'), { diff: true })
    expect(
      out
        .split('\n')
        .slice(3)
        .filter(line => /^\+/.test(line)),
    ).toEqual([])
    expect(out).toMatch(/^- {4}auth.example\/injected: /m)
  })

  test('has colours where they can be seen, and the same text without them', async () => {
    const plain = (await renderText(httpRoute('one'), { diff: true })).out
    const coloured = (await renderText(httpRoute('one'), { diff: true }, true)).out
    expect(plain).not.toContain(ESCAPE)
    expect(coloured).toContain(`${ESCAPE}[32m+  annotations:${ESCAPE}[39m`)
    expect(coloured).toContain(`${ESCAPE}[36m@@ `)
    expect(coloured.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')).toBe(plain)
  })

  test('goes with the text form alone', async () => {
    const { code, out, err } = await renderText(ingress('one'), { diff: true, output: 'json' })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('-o json')
  })

  test('of texts that have nothing in common stays quick, and is one taken out and one put in', () => {
    const text = `apiVersion: v1\nkind: Big\nmetadata: {name: big}\nlist:\n${'- old\n'.repeat(20_000)}`
    const [source] = sourcesOf(text, readDocuments(text, 'big.yaml').documents)
    const after = Array.from({ length: 20_000 }, (_, i) => `- ${i}\n`).join('')
    const out = diffOf({ object: source!.doc.object, text: after, source: source! }, false)
    expect(out.split('\n').slice(2, 4)).toEqual(['@@ -1,20004 +1,20000 @@', '-apiVersion: v1'])
    expect(out.match(/^\+- /gm)).toHaveLength(20_000)
  })

  test('gives the routes of a file as they would be stored, if it is applied to the file', async () => {
    const text = `# head\n---\n\n# one\n---\n${ingress('one')}---\n${ingress('two')}`
    const { out } = await renderText(text, { diff: true })
    const patches = parsePatch(out).filter(patch => patch.oldFileName === '<stdin>')
    expect(patches).toHaveLength(2)
    // Line numbers are those of the file as it is, so the last comes first.
    const applied = patches.reverse().reduce((file, patch) => applyPatch(file, patch) || '', text)
    const stored = objects((await renderText(text)).out).slice(0, 2)
    expect(objects(applied)).toEqual(stored)
    expect(patches[0]?.hunks[0]?.oldStart).toBe(text.split('\n').lastIndexOf('  namespace: apps') + 1)
  })
})
