/* Nothing: what every image has. */
int main(void)
{
    return 0;
}
