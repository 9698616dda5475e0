// When the present turn of the event loop began: what is read in it has waited at least since then.

/**
 * Bytes wait in the kernel, out of sight, while earlier ones of the same turn are worked on: a request that is read last
 * in a turn of a second is a second old, though its headers have only just been seen.
 */
export function turns(): () => number {
  let began: number | undefined
  const end = () => {
    began = undefined
  }
  return () => {
    if (began === undefined) {
      began = performance.now()
      // Runs when all that was there to be read has been read.
      setImmediate(end)
    }
    return began
  }
}
