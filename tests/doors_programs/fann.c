/* FANN: `fann made FILE KIND` saves a 3-4-2 network with that activation and prints what it gives
   for (0.3, -0.7, 0.2); `fann run FILE` prints what a saved network gives. */
#include <doublefann.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
  fann_type row[3] = {0.3, -0.7, 0.2}, *out;
  struct fann *net;
  if (count < 3) return 2;
  if (strcmp(words[1], "made") == 0) {
    net = fann_create_standard(3, 3, 4, 2);
    fann_randomize_weights(net, -1, 1);
    fann_set_activation_function_hidden(net, atoi(words[3]));
    fann_set_activation_function_output(net, atoi(words[3]));
    fann_set_activation_steepness_hidden(net, 0.25);
    fann_save(net, words[2]);
  } else {
    net = fann_create_from_file(words[2]);
  }
  if (net == NULL) return 1;
  out = fann_run(net, row);
  printf("%.17g %.17g\n", out[0], out[1]);
  fann_destroy(net);
  return 0;
}
