/** For tests: a loader that counts how often it was asked, and ends when the test says so. */
export class SlowLoad {
  count = 0;
  readonly #begun = Promise.withResolvers<void>();
  readonly #loaded = Promise.withResolvers<unknown>();

  /** Resolves when somebody loads. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  readonly load = (): Promise<unknown> => {
    this.count++;
    this.#begun.resolve();
    return this.#loaded.promise;
  };

  end(value: unknown): void {
    this.#loaded.resolve(value);
  }

  fail(error: Error): void {
    this.#loaded.reject(error);
  }
}
