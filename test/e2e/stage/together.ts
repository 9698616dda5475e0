// Work side by side, and what becomes of it where a part of it fails.

/** Fails once all have come to an end: nothing is started any more behind the back of who takes everything down. */
export async function together<Results extends readonly unknown[]>(
  ...works: { readonly [Nth in keyof Results]: Promise<Results[Nth]> }
): Promise<Results> {
  const ended = await Promise.allSettled(works)
  const failed = ended.find(each => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return ended.map(each => (each as PromiseFulfilledResult<unknown>).value) as unknown as Results
}
