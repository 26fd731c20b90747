/* Trains the 2-2-2 network of graphs/twins/ in FANN; prints weights in the order of the file:
   cc fann.c -ldoublefann -lm; ./a.out NAME UPDATES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <doublefann.h>

static double X[3][2] = {{.05, .10}, {1, 0}, {.3, -.8}}, T[3][2] = {{.01, .99}, {.99, .01}, {.2, .7}};
static double W[12] = {.15, .2, .35, .25, .3, .35, .4, .45, .6, .5, .55, .6};

static void fill(unsigned n, unsigned in, unsigned out, fann_type *x, fann_type *t) {
    memcpy(x, X[n], sizeof X[n]);
    memcpy(t, T[n], sizeof T[n]);
}

int main(int count, char **words) {
    int updates = atoi(words[2]), all = 1;
    const char *name = words[1];
    struct fann *net = fann_create_standard(3, 2, 2, 2);
    struct fann_connection c[64];
    struct fann_train_data *data = fann_create_train_from_callback(3, 2, 2, fill);
    fann_get_connection_array(net, c);
    for (unsigned i = 0; i < fann_get_total_connections(net); i++) c[i].weight = W[i];
    fann_set_weight_array(net, c, fann_get_total_connections(net));
    fann_set_learning_rate(net, .7f);
    if (strcmp(name, "fann-incremental")) {
        fann_set_activation_function_hidden(net, FANN_SIGMOID);
        fann_set_activation_function_output(net, FANN_SIGMOID);
        if (strcmp(name, "fann-sigmoid-tanh")) fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    } else {
        fann_set_activation_function_hidden(net, FANN_SIGMOID_STEPWISE);
        fann_set_activation_function_output(net, FANN_SIGMOID_STEPWISE);
    }
    if (!strcmp(name, "fann-batch")) fann_set_training_algorithm(net, FANN_TRAIN_BATCH);
    else if (!strcmp(name, "fann-quickprop")) fann_set_training_algorithm(net, FANN_TRAIN_QUICKPROP);
    else if (!strcmp(name, "fann-rprop")) fann_set_training_algorithm(net, FANN_TRAIN_RPROP);
    else all = 0;
    for (int i = 0; i < updates; i++)
        if (all) fann_train_epoch(net, data);
        else fann_train(net, X[i % 3], T[i % 3]);
    fann_get_connection_array(net, c);
    for (unsigned i = 0; i < fann_get_total_connections(net); i++) printf("%.17g\n", c[i].weight);
    return 0;
}
