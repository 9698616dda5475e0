// A stream of text as lines, each as soon as it is complete.

// An object is 3 MiB at most on its way in, and JSON escapes some of it.
const LONGEST = 32 * 1024 * 1024

/** Each line with its line break, except for half a line at the end. `heard`: something came, be it a byte. */
export async function* readLines(chunks: AsyncIterable<string>, heard: () => void): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    heard()
    let from = 0
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      yield rest + chunk.slice(from, end + 1)
      rest = ''
      from = end + 1
    }
    rest += chunk.slice(from)
    if (rest.length > LONGEST) throw new Error(`a line of more than ${LONGEST} characters`)
  }
  if (rest !== '') yield rest
}
