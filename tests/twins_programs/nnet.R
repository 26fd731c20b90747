# Trains the 2-2-2 network of graphs/twins/ in R's nnet for one iteration; prints its version and
# its weights, for each unit the bias and then its inputs: Rscript nnet.R
library(nnet)
x <- rbind(c(0.05, 0.10), c(1, 0), c(0.3, -0.8))
t <- rbind(c(0.01, 0.99), c(0.99, 0.01), c(0.2, 0.7))
start <- c(0.35, 0.15, 0.2, 0.35, 0.25, 0.3, 0.6, 0.4, 0.45, 0.6, 0.5, 0.55)
net <- nnet(x, t, size = 2, Wts = start, maxit = 1, trace = FALSE)
cat(as.character(packageVersion("nnet")), "\n")
cat(sprintf("%.17g", net$wts), "\n")
