// Textbook programs in C, of which the table of measurements has a row beside that of the model.

/// The texts of C programs that are measured only; their size is the macro N.
enum BenchTexts {
  static let files: [(name: String, bytes: [UInt8])] = [
    ("readers.c", Array(readers.utf8)), ("lastzero.c", Array(lastzero.utf8)),
    ("indexer.c", Array(indexer.utf8)),
  ]

  private static let readers = """
    // holds: one writer, and readers of the same word
    #include <pthread.h>
    #include <stdatomic.h>
    atomic_int x;
    static void *write_x(void *unused) { atomic_store(&x, 1); return NULL; }
    static void *read_x(void *unused) { (void)atomic_load(&x); return NULL; }
    int main(void) {
      pthread_t writer, readers[N];
      pthread_create(&writer, NULL, write_x, NULL);
      for (int i = 0; i < N; i++) pthread_create(&readers[i], NULL, read_x, NULL);
      pthread_join(writer, NULL);
      for (int i = 0; i < N; i++) pthread_join(readers[i], NULL);
    }

    """

  private static let lastzero = """
    // holds: writers count up in an array, and a reader looks for the last zero
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdint.h>
    atomic_int array[N + 1];
    static void *search(void *unused) {
      int i = N;
      while (atomic_load(&array[i]) != 0) i--;
      return NULL;
    }
    static void *write_next(void *argument) {
      int i = (int)(intptr_t)argument;
      atomic_store(&array[i], atomic_load(&array[i - 1]) + 1);
      return NULL;
    }
    int main(void) {
      pthread_t threads[N + 1];
      pthread_create(&threads[0], NULL, search, NULL);
      for (int i = 1; i <= N; i++)
        pthread_create(&threads[i], NULL, write_next, (void *)(intptr_t)i);
      for (int i = 0; i <= N; i++) pthread_join(threads[i], NULL);
    }

    """

  private static let indexer = """
    // holds: threads insert messages into a hash table
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stdint.h>
    enum { size = 128, messages = 4 };
    atomic_int table[size];
    static void *insert(void *argument) {
      int thread = (int)(intptr_t)argument;
      for (int message = 1; message <= messages; message++) {
        int word = message * 11 + thread, slot = word * 7 % size, free = 0;
        while (!atomic_compare_exchange_strong(&table[slot], &free, word)) {
          free = 0;
          slot = (slot + 1) % size;
        }
      }
      return NULL;
    }
    int main(void) {
      pthread_t threads[N];
      for (int i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, insert, (void *)(intptr_t)i);
      for (int i = 0; i < N; i++) pthread_join(threads[i], NULL);
    }

    """
}
